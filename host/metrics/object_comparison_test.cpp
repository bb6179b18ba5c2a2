// Objects of two masks against counting pixels of OpenCV's label maps.
#include <host/metrics/object_comparison.hpp>

#include <map>

#include <gtest/gtest.h>
#include <opencv2/imgproc.hpp>

#include <nephron/image_cv.hpp>
#include <nephron/rng.hpp>

#include <tests/support/error_of.hpp>

namespace nephron::host {
namespace {

Image random_mask(Rng& rng, Size size) {
  Image mask(size, 1);
  cv::Mat pixels = as_mat(mask.view());
  for (int i = 0; i < 12; ++i)
    cv::ellipse(pixels, {int(rng.integer(0, size.width)), int(rng.integer(0, size.height))},
                {int(rng.integer(1, 14)), int(rng.integer(1, 14))}, rng.uniform() * 180, 0, 360, cv::Scalar(1),
                rng.chance(0.5) ? cv::FILLED : 2);
  return mask;
}

/// Number of the object that a pixel is of, from 1.
cv::Mat numbered(const std::vector<FoundObject>& objects, cv::Size size) {
  cv::Mat out = cv::Mat::zeros(size, CV_32S);
  for (std::size_t i = 0; i < objects.size(); ++i)
    for (const RowRun& run : objects[i].runs) out.row(run.y).colRange(run.first, run.end).setTo(int(i) + 1);
  return out;
}

TEST(ObjectComparison, PairsAreWhatPixelsSay) {
  Rng rng(5, "pairs");
  for (int round = 0; round < 40; ++round) {
    const Size size{rng.integer(20, 120), rng.integer(20, 120)};
    const Image predicted = random_mask(rng, size), truth = random_mask(rng, size);
    ObjectComparison comparison({.least_area = 5});
    for (std::int64_t y = 0; y < size.height; y += 7) {
      const Region band{0, y, size.width, std::min<std::int64_t>(7, size.height - y)};
      comparison.rows(y, predicted.view().crop(band), truth.view().crop(band));
    }
    const ComparedObjects compared = comparison.finish();
    EXPECT_EQ(compared.overlap.both, cv::countNonZero(as_mat(predicted.view()) & as_mat(truth.view())));
    EXPECT_EQ(compared.overlap.predicted, cv::countNonZero(as_mat(predicted.view())));
    EXPECT_EQ(compared.overlap.truth, cv::countNonZero(as_mat(truth.view())));

    const cv::Mat found = numbered(compared.found, as_mat(truth.view()).size());
    const cv::Mat real = numbered(compared.truth, found.size());
    std::map<std::pair<std::size_t, std::size_t>, std::int64_t> common;
    for (int y = 0; y < found.rows; ++y)
      for (int x = 0; x < found.cols; ++x)
        if (found.at<int>(y, x) > 0 && real.at<int>(y, x) > 0)
          ++common[{std::size_t(found.at<int>(y, x) - 1), std::size_t(real.at<int>(y, x) - 1)}];
    const MeasuredObjects objects = measured_objects({&compared, 1});
    ASSERT_EQ(objects.pairs.size(), common.size());
    auto expected = common.begin();
    for (const ObjectPair& pair : objects.pairs) {
      ASSERT_EQ(std::pair(pair.found, pair.truth), expected->first);
      EXPECT_EQ(pair.common, expected->second);
      const std::int64_t either = compared.found[pair.found].area + compared.truth[pair.truth].area - pair.common;
      EXPECT_DOUBLE_EQ(pair.iou, double(pair.common) / double(either));
      ++expected;
    }
    for (const MeasuredObject& o : objects.found) {
      const int x = int(o.box.x + o.box.width / 2), y = int(o.box.y + o.box.height / 2);
      EXPECT_EQ(o.centre_hits, real.at<int>(y, x) > 0);
    }
  }
}

TEST(ObjectComparison, KnowsObjectsOfOtherClasses) {
  Image one({20, 10}, 1), two({20, 10}, 1), none({20, 10}, 1);
  for (std::int64_t y = 2; y < 6; ++y) {
    std::fill_n(one.view().row<std::uint8_t>(y) + 2, 4, std::uint8_t{1});
    std::fill_n(two.view().row<std::uint8_t>(y) + 10, 4, std::uint8_t{1});
  }
  std::vector<ComparedObjects> classes;
  for (const auto& [predicted, truth] : {std::pair{&one, &none}, std::pair{&two, &one}}) {
    ObjectComparison comparison;
    comparison.rows(0, predicted->view(), truth->view());
    classes.push_back(comparison.finish());
  }
  const MeasuredObjects objects = measured_objects(classes);
  ASSERT_EQ(objects.found.size(), 2U);
  ASSERT_EQ(objects.truth.size(), 1U);
  EXPECT_EQ(objects.truth[0].class_index, 1U);
  ASSERT_EQ(objects.pairs.size(), 1U);
  EXPECT_EQ(objects.pairs[0].found, 0U) << "of the first class, over truth of the second";
  EXPECT_EQ(objects.pairs[0].iou, 1);
  EXPECT_FALSE(objects.found[0].centre_hits) << "of another class";
}

TEST(ObjectComparison, RefusesMasksThatDoNotFit) {
  ObjectComparison comparison;
  EXPECT_NE(error_of([&] { comparison.rows(0, Image({4, 2}, 1).view(), Image({5, 2}, 1).view()); }), "no error");
  EXPECT_NE(error_of([&] {
              comparison.rows(0, Image({4, 2}, 1).view(), Image({4, 2}, 1).view(), Image({4, 2}, 1).view());
            }),
            "no error");
}

}  // namespace
}  // namespace nephron::host
