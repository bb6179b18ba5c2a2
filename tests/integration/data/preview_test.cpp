#include <gtest/gtest.h>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <nephron/error.hpp>
#include <nephron/image_cv.hpp>

#include <host/feed/preview.hpp>
#include <host/pictures/png.hpp>

#include "data_fixture.hpp"

namespace nephron::host {
namespace {

namespace fs = std::filesystem;

/// Counts pixels of the first class's outline in a PNG.
std::int64_t red_in(const cv::Mat& bgr) {
  std::int64_t n = 0;
  for (int y = 0; y < bgr.rows; ++y)
    for (int x = 0; x < bgr.cols; ++x) n += bgr.at<cv::Vec3b>(y, x) == cv::Vec3b(20, 20, 230);
  return n;
}

std::int64_t dark_in(const cv::Mat& bgr) {
  cv::Mat grey;
  cv::cvtColor(bgr, grey, cv::COLOR_BGR2GRAY);
  return cv::countNonZero(grey < 160);
}

FeedOptions everything(const PreparedData& data) {
  FeedOptions o;
  o.slides = all_slides(data);
  return o;
}

TEST(Preview, ShowsWindowsWithTheirLabelsOutlined) {
  const Registry registry = plugins();
  const Experiment e = synthetic_experiment();
  const PreparedData data = prepare(e, registry);
  const Feed feed(e, registry, data, everything(data));
  const fs::path file = fs::path(NEPHRON_BUILD_DIR) / "preview_test.png";
  write_png(file, draw_preview(feed, e, 0, 10).view());
  const cv::Mat picture = cv::imread(file.string());
  EXPECT_EQ(picture.cols, 4 * 68 - 4);
  EXPECT_EQ(picture.rows, 3 * (64 + preview_caption));
  EXPECT_GT(red_in(picture), 200);
  EXPECT_EQ(picture.at<cv::Vec3b>(190, 260), cv::Vec3b(255, 255, 255));   // places 11 and 12 stay empty
  EXPECT_GT(dark_in(picture(cv::Rect(0, 64, 64, preview_caption))), 20);  // where the first one was cut
  EXPECT_EQ(dark_in(picture(cv::Rect(136, 224, 64, preview_caption))), 0);
  EXPECT_THROW(draw_preview(feed, e, 0, 0), Error);
  EXPECT_THROW(write_png("/proc/nephron/x.png", Image({4, 4}, 3).view()), Error);
}

TEST(Preview, AWindowIsShownWithoutItsAugmentationsAndWithThem) {
  const Registry registry = plugins();
  Experiment e = synthetic_experiment();
  AugmentationConfig flip, never;
  flip.component = never.component = {"flip", table({}), {}};
  never.p = 0;
  e.augmentations = {never, flip};
  const PreparedData data = prepare(e, registry);
  const Feed feed(e, registry, data, everything(data));
  int changed = 0;
  for (std::int64_t i = 0; i < 8; ++i) {
    const PreviewWindow w = preview_window(feed, e, 0, i);
    EXPECT_EQ(w.story.slide, &feed.slide_of(0, i));
    EXPECT_EQ(w.story.region.size(), (Size{e.data.tile, e.data.tile}));
    EXPECT_LE(w.story.augmentations.size(), 1U);
    const bool differs = cv::norm(as_mat(w.plain.view()), as_mat(w.seen.view()), cv::NORM_INF) > 0;
    EXPECT_TRUE(differs <= !w.story.augmentations.empty()) << i << " differs, and nothing was done to it";
    changed += differs;
    Image cut(w.story.region.size(), 3);
    w.story.slide->read(w.story.region, cut.view(), {});
    const cv::Vec3b corner = as_mat(cut.view()).at<cv::Vec3b>(1, 1), shown = as_mat(w.plain.view()).at<cv::Vec3b>(1, 1);
    EXPECT_TRUE(corner == shown || shown == cv::Vec3b(230, 20, 20)) << i;  // or an outline of the first class
  }
  EXPECT_GT(changed, 0);
}

/// A slide whose labels have no weight in the loss.
class Weightless final : public PreparedSlide {
 public:
  explicit Weightless(std::shared_ptr<const PreparedSlide> slide)
      : slide_(std::move(slide)), rules_(slide_->targets()) {
    for (ChannelRule& rule : rules_) rule.weight = 0;
  }
  const SlideInfo& info() const noexcept override { return slide_->info(); }
  std::size_t dataset() const noexcept override { return slide_->dataset(); }
  Size size() const noexcept override { return slide_->size(); }
  bool annotated() const noexcept override { return true; }
  void read(const Region& r, const ImageView& image, const ImageView& labels) const override {
    slide_->read(r, image, labels);
  }
  bool any_label(const Region& r, std::uint32_t classes) const override { return slide_->any_label(r, classes); }
  std::optional<Pixel> pixel(std::size_t c, Rng& rng) const override { return slide_->pixel(c, rng); }
  std::int64_t count(const Region& r, std::uint32_t classes) const override { return slide_->count(r, classes); }
  std::int64_t tissue(const Region& r) const override { return slide_->tissue(r); }
  const std::vector<Region>& objects(std::size_t c) const override { return slide_->objects(c); }
  const CatalogSlide& catalog() const noexcept override { return slide_->catalog(); }
  const std::vector<ChannelRule>& targets() const noexcept override { return rules_; }

 private:
  std::shared_ptr<const PreparedSlide> slide_;
  std::vector<ChannelRule> rules_;
};

// Pseudo-labels stand in the channel of unhealthy glomeruli too, where nothing is learnt from them.
TEST(Preview, LabelsWithoutWeightAreNotOutlined) {
  const Registry registry = plugins();
  const Experiment e = synthetic_experiment();
  PreparedData data = prepare(e, registry);
  for (auto& slide : data.slides) slide = std::make_shared<Weightless>(slide);
  const Feed feed(e, registry, data, everything(data));
  cv::Mat bgr;
  cv::cvtColor(as_mat(draw_preview(feed, e, 0, 10).view()), bgr, cv::COLOR_RGB2BGR);
  EXPECT_EQ(red_in(bgr), 0);
}

TEST(Preview, WhatIsIgnoredIsHatched) {
  const Registry registry = plugins();
  Experiment e = synthetic_experiment();
  e.datasets[0].component.params.set("size", Value::Array{100, 90});  // smaller than a tile
  const auto grey_in = [&] {
    const PreparedData data = prepare(e, registry);
    const Feed feed(e, registry, data, everything(data));
    const cv::Mat picture = as_mat(preview_window(feed, e, 0, 0).plain.view()).clone();
    std::int64_t n = 0;
    for (int y = 0; y < picture.rows; ++y)
      for (int x = 0; x < picture.cols; ++x) n += picture.at<cv::Vec3b>(y, x) == cv::Vec3b(110, 110, 110);
    return n;
  };
  EXPECT_LT(grey_in(), 20);
  e.data.ignore_outside = true;
  EXPECT_GT(grey_in(), 500);
}

TEST(Preview, RealTilesWithTheReferencesWindows) {
  const char* shared = std::getenv("NEPHRON_SHARED");
  const fs::path tiles =
      (shared != nullptr ? fs::path(shared) : fs::path(NEPHRON_SOURCE_DIR) / "../shared") / "data/aidpath-tiles";
  if (!fs::exists(tiles)) GTEST_SKIP() << tiles << " is not there; set NEPHRON_SHARED";
  const Registry registry = plugins();
  Experiment e = synthetic_experiment();
  e.classes = {"glomerulus"};
  e.data.tile = 256;
  e.datasets[0].component = {
      "image_folder",
      table({{"root", tiles.string()}, {"colours", table({{"glomerulus", Value::Array{255, 0, 0}}})}}),
      {}};
  const PreparedData data = prepare(e, registry);
  EXPECT_EQ(data.slides.size(), 18U);
  EXPECT_TRUE(data.problems.empty());
  const Feed feed(e, registry, data, everything(data));
  const fs::path file = fs::path(NEPHRON_BUILD_DIR) / "preview_aidpath.png";
  write_png(file, draw_preview(feed, e, 0, 16).view());
  const cv::Mat picture = cv::imread(file.string());
  EXPECT_EQ(picture.cols, 4 * 260 - 4);
  EXPECT_GT(red_in(picture), 2000);
}

}  // namespace
}  // namespace nephron::host
