#include <gtest/gtest.h>
#include <opencv2/core.hpp>

#include <nephron/image_cv.hpp>

#include <host/feed/preview.hpp>
#include <host/train/batch_preview.hpp>

#include "data_fixture.hpp"

namespace nephron::host {
namespace {

FeedOptions everything(const Experiment& e, const PreparedData& data) {
  FeedOptions o;
  o.slides = all_slides(data);
  o.batch = e.train.batch;
  return o;
}

/// Share of pixels that are equal.
double alike(const cv::Mat& a, const cv::Mat& b) {
  std::int64_t n = 0;
  for (int y = 0; y < a.rows; ++y)
    for (int x = 0; x < a.cols; ++x) n += a.at<cv::Vec3b>(y, x) == b.at<cv::Vec3b>(y, x);
  return static_cast<double>(n) / static_cast<double>(a.total());
}

TEST(BatchPreview, ShowsTheFirstBatchAfterWhatChangesWholeBatches) {
  PluginSearch search;
  search.command_line = {NEPHRON_TINY};
  std::stringstream files(NEPHRON_PLUGIN_FILES);
  for (std::string file; std::getline(files, file, ':');) search.command_line.emplace_back(file);
  const Registry registry(search);
  Experiment e = synthetic_experiment();
  e.train.batch = 4;
  e.augmentations = {augmentation("flip")};
  e.batch_augmentations.resize(1);
  e.batch_augmentations[0].component = {"test-wrong-batch", table({{"mirror", true}}), {}};
  const PreparedData data = prepare(e, registry);
  Feed feed(e, registry, data, everything(e, data));
  EXPECT_EQ(preview_batch(e, registry, feed, 0, 3).size(), 3U);
  const auto shown = preview_batch(e, registry, feed, 0, 9);
  ASSERT_EQ(shown.size(), 4U);
  std::int64_t outlined = 0;
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const PreviewWindow window = preview_window(feed, e, 0, static_cast<std::int64_t>(i));
    cv::Mat mirrored;
    cv::flip(as_mat(window.seen.view()), mirrored, 1);
    // Outlines lie a little further out: here wherever there is a label, there where it is most of a pixel.
    EXPECT_GT(alike(as_mat(shown[i].picture.view()), mirrored), 0.75) << i;
    EXPECT_EQ(shown[i].id.find(window.story.slide->info().id), 0U) << shown[i].id;
    cv::Mat red;
    cv::inRange(as_mat(shown[i].picture.view()), cv::Scalar(230, 20, 20), cv::Scalar(230, 20, 20), red);
    outlined += cv::countNonZero(red);
  }
  EXPECT_GT(outlined, 50);
  e.batch_augmentations.clear();
  EXPECT_TRUE(preview_batch(e, registry, feed, 0, 9).empty());
}

}  // namespace
}  // namespace nephron::host
