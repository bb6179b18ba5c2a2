// Folds are dealt over the listing: what cannot be read, is added or goes moves no slide to another fold.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/imgcodecs.hpp>

#include <nephron/error.hpp>

#include <host/config/load.hpp>
#include <host/data/folds.hpp>
#include <host/data/shortfalls.hpp>
#include <host/util/files.hpp>

#include "data_fixture.hpp"

namespace nephron::host {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SplitsTest : public testing::Test {
 protected:
  SplitsTest() : registry_(plugins()), experiment_(synthetic_experiment()) {
    root_ = fs::temp_directory_path() / ("nephron_splits_" + std::to_string(getpid()));
    fs::create_directories(root_ / "images");
    fs::create_directories(root_ / "masks");
    for (const char* name : {"a1", "a2", "b1", "c1", "d1", "d2"}) add(name);
    experiment_.classes = {"disc"};
    experiment_.data.folds.count = 3;
    experiment_.data.most_lost = 1;
    experiment_.datasets[0].component = {"image_folder", table({{"root", root_.string()}, {"donor", "^([a-z])"}}), {}};
    experiment_.file = "e.toml";
  }
  ~SplitsTest() override { fs::remove_all(root_); }

  void add(const std::string& name) {
    const cv::Mat image(40, 40, CV_8UC3, cv::Scalar::all(200)), mask(40, 40, CV_8U, cv::Scalar(255));
    cv::imwrite((root_ / "images" / (name + ".png")).string(), image);
    cv::imwrite((root_ / "masks" / (name + ".png")).string(), mask);
  }
  void remove(const std::string& name) {
    fs::remove(root_ / "images" / (name + ".png"));
    fs::remove(root_ / "masks" / (name + ".png"));
  }
  fs::path file() const { return root_ / "splits.json"; }
  /// "a1 0, a2 1, b1 -": the folds of slides.
  static std::string text(const Splits& splits) {
    std::string out;
    for (const auto& s : splits.slides)
      out += (out.empty() ? "" : ", ") + s.id + " " + (s.fold < 0 ? "-" : std::to_string(s.fold));
    return out;
  }
  std::string dealt() { return text(splits_of(Listing(experiment_, registry_))); }
  void use_file() {
    write_splits(file(), splits_of(Listing(experiment_, registry_)));
    experiment_.data.folds.file = file();
  }
  template <class F>
  static std::string error_of(F&& call) {
    try {
      call();
    } catch (const Error& e) {
      return std::string(e.what()) + " | " + e.hint();
    }
    return "no error";
  }
  std::string resumed() {
    return error_of([&] { throw Error(text(splits_of_run(Listing(experiment_, registry_), file()))); });
  }

  Registry registry_;
  Experiment experiment_;
  fs::path root_;
};

TEST_F(SplitsTest, ASlideThatCannotBeReadMovesNoOther) {
  EXPECT_EQ(dealt(), "a1 0, a2 1, b1 2, c1 0, d1 1, d2 2");
  std::ofstream(root_ / "images" / "a2.png") << "no picture";
  const PreparedData data = prepare(experiment_, registry_);
  EXPECT_THAT(data.folds, ElementsAre(0, 2, 0, 1, 2));
  EXPECT_EQ(data.asked, 6U);
  EXPECT_THAT(slides_of(data, 1).held_out, ElementsAre(3));
  fs::remove(root_ / "masks" / "b1.png");  // not annotated: never held out, and known without opening it
  EXPECT_EQ(dealt(), "a1 0, a2 1, b1 -, c1 2, d1 0, d2 1");
  experiment_.data.folds.by = "donor";
  EXPECT_EQ(dealt(), "a1 0, a2 0, b1 -, c1 1, d1 2, d2 2");
}

TEST_F(SplitsTest, AFoldOfWhichNothingIsLeftIsRefused) {
  const Listing listing(experiment_, registry_);
  const Splits splits = splits_of(listing);
  for (const char* name : {"b1", "d2"}) std::ofstream(root_ / "images" / (std::string(name) + ".png")) << "no picture";
  const PreparedData data = prepare(listing, splits, 1);
  EXPECT_NO_THROW(require_left(data, splits, 0));
  EXPECT_THAT(error_of([&] { require_left(data, splits, 2); }),
              HasSubstr("none of the 2 slides that fold 2 holds out"));
}

TEST_F(SplitsTest, WrittenFoldsAreKeptAndNewSlidesAreDealtOn) {
  use_file();
  EXPECT_EQ(dealt(), "a1 0, a2 1, b1 2, c1 0, d1 1, d2 2");
  remove("a1");
  testing::internal::CaptureStderr();
  EXPECT_EQ(dealt(), "a2 1, b1 2, c1 0, d1 1, d2 2");
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("do not list: \"a1\""));
  add("a0"), add("e1");
  EXPECT_THAT(error_of([&] { dealt(); }),
              AllOf(HasSubstr("says of 2 slides not which fold it is held out in: \"a0\", \"e1\""),
                    HasSubstr("nephron data split e.toml --set 'data.folds.file=\"" + file().string() + "\"' --out " +
                              file().string() + " --overwrite")));
  // The file still names a1, which another experiment may have: it counts, and stays.
  const Splits on = extended_splits(Listing(experiment_, registry_));
  EXPECT_EQ(text(on), "a0 0, a2 1, b1 2, c1 0, d1 1, d2 2, e1 1, a1 0");
  write_splits(file(), on);
  EXPECT_EQ(dealt(), "a0 0, a2 1, b1 2, c1 0, d1 1, d2 2, e1 1");
}

TEST_F(SplitsTest, ANewSlideGoesToItsDonor) {
  experiment_.data.folds.by = "donor";
  use_file();
  EXPECT_EQ(dealt(), "a1 0, a2 0, b1 1, c1 2, d1 0, d2 0");
  add("b2"), add("e1");
  EXPECT_EQ(text(extended_splits(Listing(experiment_, registry_))), "a1 0, a2 0, b1 1, b2 1, c1 2, d1 0, d2 0, e1 1");
}

TEST_F(SplitsTest, ARunGoesOnWithItsFoldsOrIsRefused) {
  write_splits(file(), splits_of(Listing(experiment_, registry_)));
  EXPECT_THAT(resumed(), HasSubstr("a1 0, a2 1, b1 2, c1 0, d1 1, d2 2"));
  std::ofstream(root_ / "images" / "a2.png", std::ios::trunc) << "no picture";  // it is listed all the same
  EXPECT_THAT(resumed(), HasSubstr("a1 0, a2 1, b1 2, c1 0, d1 1, d2 2"));
  remove("a1"), add("e1");
  EXPECT_THAT(resumed(), AllOf(HasSubstr("splits.json"), HasSubstr("new: \"e1\""), HasSubstr("vanished: \"a1\"")));
  add("a1"), remove("e1");
  fs::remove(root_ / "masks" / "c1.png");
  EXPECT_THAT(resumed(), HasSubstr("not annotated or not held out now: \"c1\""));
  add("c1");
  experiment_.data.folds.count = 2;
  EXPECT_THAT(resumed(), HasSubstr("data.folds.count is 2 and was 3"));
  experiment_.data.folds.count = 3;
  experiment_.datasets[0].component.params.set("donor", "^.([0-9])");
  EXPECT_THAT(resumed(), HasSubstr("of another donor than then: \"a1\", \"a2\""));
}

TEST_F(SplitsTest, AFoldGoesOnWithTheSlidesThatItBeganWith) {
  const fs::path slides = root_ / "fold-1" / "slides.json";
  const auto settle = [&] {
    const PreparedData data = prepare(experiment_, registry_);
    settle_fold_slides(slides, experiment_, data, slides_of(data, 1));
  };
  settle();
  const std::string before = read_file(slides);
  settle();
  std::ofstream(root_ / "images" / "a2.png") << "no picture";
  std::ofstream(root_ / "images" / "b1.png") << "no picture";
  EXPECT_THAT(error_of(settle),
              AllOf(HasSubstr("fold-1/slides.json"), HasSubstr("trained on then, and not now: \"b1\""),
                    HasSubstr("held out then, and not now: \"a2\"")));
  EXPECT_EQ(read_file(slides), before);
}

TEST_F(SplitsTest, FoldsThatWouldBeEmptyAreRefusedWithCounts) {
  const auto refusal = [&](const std::vector<int>& which) {
    const Listing listing(experiment_, registry_);
    return error_of([&] { require_held_out(listing, splits_of(listing), which); });
  };
  EXPECT_EQ(refusal({0, 1, 2}), "no error");
  experiment_.data.folds.count = 8;
  EXPECT_EQ(refusal({5}), "no error");
  EXPECT_THAT(refusal({5, 6, 7}),
              AllOf(HasSubstr("folds 6, 7 of 8 would hold out no slide: 6 of the 6 slides can be held out"),
                    HasSubstr("data.folds.count to 6 at most")));
  experiment_.data.folds.by = "donor";
  EXPECT_THAT(refusal({4}),
              HasSubstr("fold 4 of 8 would hold out no slide: 6 of the 6 slides can be held out, and they fill 4"));
  experiment_.datasets[0].hold_out = false;
  EXPECT_EQ(refusal({0}), "no error") << "all slides are trained on, as they were asked to be";
  EXPECT_THAT(refusal({0, 1, 2, 3, 4, 5, 6, 7}), HasSubstr("0 of the 6 slides can be held out"));
}

TEST_F(SplitsTest, TooManyLostSlidesStop) {
  std::ofstream(root_ / "images" / "a2.png") << "no picture";
  experiment_.data.most_lost = 0.2;
  EXPECT_EQ(prepare(experiment_, registry_).problems.size(), 1U);
  experiment_.data.most_lost = 0.1;
  EXPECT_THAT(
      error_of([&] { prepare(experiment_, registry_); }),
      AllOf(HasSubstr("1 of 6 slides could not be read"), HasSubstr("slide \"a2\""), HasSubstr("data.most_lost")));
}

// A mask value that no class has is the fault of the dataset's parameters: it stops, in the store and in memory.
TEST_F(SplitsTest, AFaultOfTheParametersCostsNoSlideButStops) {
  for (const fs::path& store : {fs::path(), root_ / "store"}) {
    experiment_.data.store = store;
    experiment_.datasets[0].component.params.set("values", table({{"disc", 7}}));
    EXPECT_THAT(error_of([&] { prepare(experiment_, registry_); }),
                AllOf(HasSubstr("value 255"), HasSubstr("which no class has"), HasSubstr("ignore_unknown = true")));
    EXPECT_THROW(prepare(experiment_, registry_), ConfigError);
  }
}

TEST_F(SplitsTest, WhatAFoldLacksIsSaid) {
  EXPECT_THAT(error_of([&] { require_possible(experiment_, prepare(experiment_, registry_), {0}); }),
              HasSubstr("tiles of 64 px are larger than every slide that fold 0 trains on"));
  experiment_.data.tile = 16;
  EXPECT_THAT(shortfalls(experiment_, prepare(experiment_, registry_), {0, 1, 2}), IsEmpty());
  fs::remove(root_ / "masks" / "a1.png");
  for (const char* name : {"b1", "c1", "d1"}) {
    const cv::Mat empty(40, 40, CV_8U, cv::Scalar(0));
    cv::imwrite((root_ / "masks" / (std::string(name) + ".png")).string(), empty);
  }
  // a2 0, b1 1, c1 2, d1 0, d2 1: labelled are a2 and d2.
  EXPECT_THAT(shortfalls(experiment_, prepare(experiment_, registry_), {0, 1, 2}),
              ElementsAre(HasSubstr("1 slide without annotation, which nothing is learnt from: \"a1\""),
                          HasSubstr("class \"disc\" has no labelled pixel in the slides that fold 2 holds out")));
  EXPECT_NO_THROW(require_possible(experiment_, prepare(experiment_, registry_), {0, 1}));
  EXPECT_THAT(error_of([&] {
                require_possible(experiment_, prepare(experiment_, registry_), {0, 1, 2});
              }),
              HasSubstr("no class has a labelled pixel in the slides that fold 2 holds out"));
  experiment_.data.folds.count = 2;  // d2 goes to fold 0
  EXPECT_THAT(shortfalls(experiment_, prepare(experiment_, registry_), {0}),
              ElementsAre(HasSubstr("without annotation"), HasSubstr("fold 0 trains on: it will not be learnt")));
  EXPECT_THAT(error_of([&] { require_possible(experiment_, prepare(experiment_, registry_), {0}); }),
              HasSubstr("no class has a labelled pixel in the slides that fold 0 trains on: nothing would be learnt"));
}

TEST_F(SplitsTest, HintsOfLostSlidesAreKept) {
  for (const char* name : {"a1", "b1"}) std::ofstream(root_ / "images" / (std::string(name) + ".png")) << "no picture";
  const cv::Mat wide(40, 80, CV_8U, cv::Scalar(255));
  cv::imwrite((root_ / "masks" / "c1.png").string(), wide);
  const PreparedData data = prepare(experiment_, registry_);
  ASSERT_EQ(data.problems.size(), 3U);
  testing::internal::CaptureStderr();
  warn_of_lost(data);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), AllOf(HasSubstr("asked for 6 slides, used 3:"),
                                                            HasSubstr(data.problems[0]), HasSubstr(data.problems[2])));
}

}  // namespace
}  // namespace nephron::host
