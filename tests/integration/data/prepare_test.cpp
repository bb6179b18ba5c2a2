#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <nephron/error.hpp>
#include <nephron/image_cv.hpp>

#include "data_fixture.hpp"

namespace nephron::host {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

class PrepareTest : public testing::Test {
 protected:
  PrepareTest() : registry_(plugins()), experiment_(synthetic_experiment()) {
    root_ = fs::temp_directory_path() / ("nephron_prepare_" + std::to_string(getpid()));
    fs::create_directories(root_ / "images");
    fs::create_directories(root_ / "masks");
  }
  ~PrepareTest() override { fs::remove_all(root_); }

  /// A picture of noise and its mask; sides need not be multiples of the factor.
  void write_pair(const std::string& name, int width, int height) {
    cv::Mat image(height, width, CV_8UC3), mask(height, width, CV_8U, cv::Scalar(0));
    cv::randu(image, 0, 256);
    cv::circle(mask, {width / 2, height / 2}, height / 4, 255, -1);
    cv::imwrite((root_ / "images" / (name + ".png")).string(), image);
    cv::imwrite((root_ / "masks" / (name + ".png")).string(), mask);
  }
  void use_folder() {
    experiment_.classes = {"glomerulus"};
    experiment_.datasets[0].component = {"image_folder", table({{"root", root_.string()}}), {}};
  }

  Registry registry_;
  Experiment experiment_;
  fs::path root_;
};

TEST_F(PrepareTest, ReducesAsTheReference) {
  write_pair("even", 130, 110);
  write_pair("odd", 131, 113);
  use_folder();
  const PreparedData data = prepare(experiment_, registry_);
  ASSERT_EQ(data.slides.size(), 2U);
  for (const auto& slide : data.slides) {
    const cv::Mat image = cv::imread((root_ / "images" / (slide->info().id + ".png")).string());
    const cv::Mat mask = cv::imread((root_ / "masks" / (slide->info().id + ".png")).string(), cv::IMREAD_GRAYSCALE);
    const cv::Size size(image.cols / 2, image.rows / 2);
    ASSERT_EQ(slide->size(), (Size{size.width, size.height}));
    cv::Mat expected, expected_mask;
    cv::resize(image, expected, size, 0, 0, cv::INTER_AREA);
    cv::cvtColor(expected, expected, cv::COLOR_BGR2RGB);
    cv::resize(mask, expected_mask, size, 0, 0, cv::INTER_NEAREST);
    Image got(slide->size(), 3), labels(slide->size(), 1);
    slide->read({0, 0, size.width, size.height}, got.view(), labels.view());
    EXPECT_EQ(cv::norm(as_mat(got.view()), expected, cv::NORM_INF), 0);
    EXPECT_EQ(cv::countNonZero((as_mat(labels.view()) != 0) != (expected_mask != 0)), 0);
    EXPECT_EQ(slide->catalog().foreground, std::vector<std::int64_t>{cv::countNonZero(expected_mask)});
  }
}

TEST_F(PrepareTest, OutsideIsWhiteAndUnlabelled) {
  const PreparedData data = prepare(experiment_, registry_);
  Image image({20, 20}, 3), labels({20, 20}, 1);
  std::fill_n(labels.view().row<std::uint8_t>(0), 400, std::uint8_t{9});
  data.slides[0]->read({-10, -10, 20, 20}, image.view(), labels.view());
  EXPECT_EQ(image.view().row<std::uint8_t>(0)[0], 255);
  EXPECT_EQ(labels.view().row<std::uint8_t>(9)[19], 0);
  data.slides[0]->read({5000, 5000, 20, 20}, image.view(), labels.view());
  EXPECT_EQ(image.view().row<std::uint8_t>(19)[59], 255);
}

TEST_F(PrepareTest, AnUnreadableSlideIsReportedAndTheRestGoOn) {
  write_pair("good", 100, 100);
  write_pair("worse", 100, 100);
  std::ofstream(root_ / "images" / "worse.png") << "no picture";
  use_folder();
  experiment_.data.most_lost = 0.5;
  const PreparedData data = prepare(experiment_, registry_);
  ASSERT_EQ(data.slides.size(), 1U);
  EXPECT_EQ(data.slides[0]->info().id, "good");
  ASSERT_EQ(data.problems.size(), 1U);
  EXPECT_THAT(data.problems[0],
              testing::AllOf(HasSubstr("slide \"worse\""), HasSubstr("worse.png"), HasSubstr("no PNG")));
  fs::remove(root_ / "images" / "good.png");
  EXPECT_THROW(prepare(experiment_, registry_), Error);
  write_pair("bad", 100, 100);
  std::ofstream(root_ / "images" / "bad.png") << "no picture";
  testing::internal::CaptureStderr();
  EXPECT_THROW(prepare(experiment_, registry_), Error);
  EXPECT_THAT(testing::internal::GetCapturedStderr(),  // the error names one of them
              testing::AllOf(HasSubstr("slide \"bad\""), HasSubstr("slide \"worse\"")));
}

TEST_F(PrepareTest, FoldsByIndexOverAnnotatedSlidesAndByDonor) {
  for (const char* name : {"a1", "a2", "b1", "c1", "c2"}) write_pair(name, 64, 64);
  fs::remove(root_ / "masks" / "b1.png");
  use_folder();
  experiment_.data.folds.count = 2;
  EXPECT_EQ(prepare(experiment_, registry_).folds, (std::vector<int>{0, 1, -1, 0, 1}));
  experiment_.data.folds.by = "donor";
  experiment_.datasets[0].component.params.set("donor", "^([a-z])");
  EXPECT_EQ(prepare(experiment_, registry_).folds, (std::vector<int>{0, 0, -1, 1, 1}));
}

}  // namespace
}  // namespace nephron::host
