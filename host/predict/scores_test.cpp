#include <host/predict/scores.hpp>

#include <cmath>
#include <fstream>
#include <limits>

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

TEST(Scores, OneThresholdIsChosenForAllPictures) {
  Scores scores;
  scores.classes = {"healthy"};
  std::vector<double> early(11, 0.1), late(11, 0.1);
  early[2] = 0.9, early[5] = 0.8;
  late[5] = 0.7, late[9] = 0.75;
  scores.pictures["a"] = {{0.5}, {0}, {0}, {early}, {early}};
  scores.pictures["b"] = {{0.5}, {0}, {0}, {late}, {late}};
  EXPECT_THAT(scores.choose_thresholds(), ::testing::ElementsAre(5U));
  EXPECT_DOUBLE_EQ(scores.pictures["a"].threshold[0], 0.45);
  EXPECT_DOUBLE_EQ(scores.mean().dice[0], 0.75);
  EXPECT_THAT(scores.table(false), HasSubstr("0.9000 @ 0.30"));
  EXPECT_THAT(scores.table(false), HasSubstr("0.7500 @ 0.65"));
  const fs::path file = fs::temp_directory_path() / ("nephron-search-" + std::to_string(::getpid()) + ".json");
  write_scores(file, scores);
  EXPECT_EQ(read_scores(file).pictures.at("b").curve_reduced, scores.pictures.at("b").curve_reduced);
  fs::remove(file);
  Scores none;
  none.classes = {"healthy"};
  EXPECT_THAT(none.choose_thresholds(), ::testing::ElementsAre(6U));  // 0.5
}

TEST(Scores, AClassOfWhichTheTruthSaysNothingHasNoFigure) {
  const double none = std::numeric_limits<double>::quiet_NaN();
  std::vector<double> curve(11, 0.1), other(11, 0.1);
  curve[2] = 0.9, other[5] = 0.8;
  Scores scores;
  scores.classes = {"healthy", "unhealthy"};
  scores.pictures["a"] = {{0.5, 0.5}, {0, none}, {0, none}, {curve, {}}, {curve, {}}};
  scores.pictures["b"] = {{0.5, 0.5}, {0, 0}, {0, 0}, {curve, other}, {curve, other}};
  EXPECT_THAT(scores.choose_thresholds(), ::testing::ElementsAre(2U, 5U));
  EXPECT_DOUBLE_EQ(scores.mean().dice[1], 0.8) << "of the picture that tells of it";
  EXPECT_THAT(scores.table(false), HasSubstr("-"));
  const fs::path file = fs::temp_directory_path() / ("nephron-unknown-" + std::to_string(::getpid()) + ".json");
  write_scores(file, scores);
  const Scores back = read_scores(file);
  fs::remove(file);
  EXPECT_TRUE(std::isnan(back.pictures.at("a").dice[1]));
  EXPECT_TRUE(back.pictures.at("a").curve[1].empty());
  EXPECT_DOUBLE_EQ(back.mean().dice[1], 0.8);
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
