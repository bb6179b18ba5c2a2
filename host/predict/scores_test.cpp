#include <host/predict/scores.hpp>

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nephron/error.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

Scores example() {
  Scores scores;
  scores.classes = {"healthy", "a \"quoted\" class"};
  scores.pictures["slide-1"] = {{0.5, 0.4}, {0.9, 0.25}, {0.91, 0.26}};
  scores.pictures["slide-2"] = {{0.5, 0.6}, {0.7, 0.75}, {0.71, 0.76}};
  scores.failures["slide-3"] = "cannot be read";
  return scores;
}

TEST(Scores, MeanOfThePictures) {
  const PictureScore mean = example().mean();
  EXPECT_DOUBLE_EQ(mean.dice[0], 0.8);
  EXPECT_DOUBLE_EQ(mean.dice[1], 0.5);
  EXPECT_DOUBLE_EQ(mean.threshold[1], 0.5);
  EXPECT_TRUE(Scores{}.mean().dice.empty());
  EXPECT_TRUE(Scores{}.table(true).empty());
}

TEST(Scores, TableHasALineAPicture) {
  const std::string table = example().table(false);
  EXPECT_THAT(table, HasSubstr("slide-1  0.9000"));
  EXPECT_THAT(table, HasSubstr("mean     0.8000"));
  EXPECT_THAT(example().table(true), HasSubstr("0.9100"));
}

TEST(Scores, ReadBackAsWritten) {
  const fs::path file = fs::temp_directory_path() / ("nephron-scores-" + std::to_string(::getpid()) + ".json");
  write_scores(file, example());
  const Scores back = read_scores(file);
  EXPECT_EQ(back.classes, example().classes);
  EXPECT_EQ(back.pictures.at("slide-2").dice_reduced, example().pictures.at("slide-2").dice_reduced);
  EXPECT_EQ(back.failures, example().failures);
  for (const char* text :
       {"", "[]", "{\"classes\": 3}", "{\"classes\": [\"a\"], \"pictures\": {\"x\": {}}, \"failures\": {}}"}) {
    std::ofstream(file) << text;
    EXPECT_THROW(read_scores(file), Error) << text;
  }
  fs::remove(file);
  EXPECT_TRUE(read_scores(file).pictures.empty());
}

}  // namespace
}  // namespace nephron::host
