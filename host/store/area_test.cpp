#include <host/store/area.hpp>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>
#include <opencv2/imgproc.hpp>

#include <nephron/error.hpp>
#include <nephron/image_cv.hpp>

#include <host/store/area_rows.hpp>

namespace nephron::host {
namespace {

cv::Mat noise(int width, int height, std::uint64_t seed) {
  cv::Mat image(height, width, CV_8UC3);
  cv::RNG rng(seed);
  // Few values make many ties, where rounding shows.
  if (seed % 2 == 0) rng.fill(image, cv::RNG::UNIFORM, 0, 256);
  else rng.fill(image, cv::RNG::UNIFORM, 100, 103);
  return image;
}

ImageView view(cv::Mat& m) {
  return {m.data, m.cols, m.rows, m.channels(), Depth::u8, static_cast<std::ptrdiff_t>(m.step[0])};
}

/// Reduces in parts of odd sizes, each from no more pixels than it needs.
cv::Mat in_parts(const cv::Mat& whole, Reduction reduction, std::mt19937& random) {
  const AreaReduction area({whole.cols, whole.rows}, reduction);
  cv::Mat out(static_cast<int>(area.size().height), static_cast<int>(area.size().width), CV_8UC3, cv::Scalar::all(77));
  for (std::int64_t y = 0; y < area.size().height;) {
    const std::int64_t height = std::min<std::int64_t>(1 + random() % 37, area.size().height - y);
    for (std::int64_t x = 0; x < area.size().width;) {
      const Region part{x, y, std::min<std::int64_t>(1 + random() % 53, area.size().width - x), height};
      const Region from = area.source_of(part);
      cv::Mat source = whole(cv::Rect(static_cast<int>(from.x), static_cast<int>(from.y), static_cast<int>(from.width),
                                      static_cast<int>(from.height)))
                           .clone();
      area.reduce(view(source), from, part, view(out).crop(part));
      x += part.width;
    }
    y += height;
  }
  return out;
}

void expect_equal_to_opencv(const cv::Mat& whole, int factor, std::mt19937& random) {
  cv::Mat expected;
  cv::resize(whole, expected, {whole.cols / factor, whole.rows / factor}, 0, 0, cv::INTER_AREA);
  ASSERT_EQ(cv::norm(in_parts(whole, factor, random), expected, cv::NORM_INF), 0)
      << whole.cols << " x " << whole.rows << " by " << factor;
}

TEST(AreaReduction, EqualsOpenCvOfTheWholePictureForMultiples) {
  std::mt19937 random(1);
  for (int factor = 1; factor <= 64; ++factor)
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
      const int width = factor * static_cast<int>(1 + random() % (1500 / factor + 1));
      const int height = factor * static_cast<int>(1 + random() % (300 / factor + 1));
      expect_equal_to_opencv(noise(width, height, seed), factor, random);
    }
}

TEST(AreaReduction, EqualsOpenCvOfTheWholePictureForOtherSides) {
  std::mt19937 random(2);
  for (int n = 0; n < 400; ++n) {
    const int factor = n % 3 == 0 ? 2 : n % 3 == 1 ? 4 : 2 + static_cast<int>(random() % 20);
    const int width = factor + static_cast<int>(random() % 1500), height = factor + static_cast<int>(random() % 300);
    expect_equal_to_opencv(noise(width, height, static_cast<std::uint64_t>(n)), factor, random);
  }
}

// Short sides: what is left over may be as long as a block, so that OpenCV takes blocks longer than the factor, and not
// the same along both sides.
TEST(AreaReduction, EqualsOpenCvForEveryShortSide) {
  std::mt19937 random(4);
  for (int factor = 1; factor <= 8; ++factor)
    for (int width = factor; width <= factor * (factor + 1) + 2; ++width)
      for (int height = factor; height <= factor * (factor + 1) + 2; ++height)
        expect_equal_to_opencv(noise(width, height, static_cast<std::uint64_t>(width + height)), factor, random);
}

TEST(AreaReduction, EqualsOpenCvForLargeFactors) {
  std::mt19937 random(5);
  for (const int factor : {65, 100, 257, 258, 511, 1024})
    for (const auto& [width, height] : {std::pair(factor, factor),
                                        {2 * factor - 1, 2 * factor - 1},
                                        {3 * factor, 2 * factor},
                                        {3 * factor + 1, factor}})
      expect_equal_to_opencv(noise(width, height, 0), factor, random);
}

// A slide that is brought to a given size of a pixel: OpenCV's area means of the whole, to sides rounded down.
TEST(AreaReduction, EqualsOpenCvForReductionsThatAreNoWholeNumber) {
  std::mt19937 random(6);
  std::vector<double> ratios{1.0001, 1.01, 1.25, 1.5, 1.976284584980237, 2.0005, 2.5, 3.999, 4.2, 7.77, 31.4159};
  for (int n = 0; n < 60; ++n) ratios.push_back(1 + 10 * static_cast<double>(random()) / 4294967296.);
  for (const double ratio : ratios) {
    const Reduction reduction = Reduction::of(ratio);
    ASSERT_FALSE(reduction.whole()) << ratio;
    for (int n = 0; n < 6; ++n) {
      const int least = static_cast<int>(std::ceil(ratio));
      const cv::Mat whole = noise(least + static_cast<int>(random() % 700), least + static_cast<int>(random() % 200),
                                  static_cast<std::uint64_t>(n));
      const Size size = reduction.size_of({whole.cols, whole.rows});
      ASSERT_EQ(size.width, static_cast<std::int64_t>(whole.cols / ratio + 1e-6));
      cv::Mat expected;
      cv::resize(whole, expected, {static_cast<int>(size.width), static_cast<int>(size.height)}, 0, 0, cv::INTER_AREA);
      ASSERT_EQ(cv::norm(in_parts(whole, reduction, random), expected, cv::NORM_INF), 0)
          << whole.cols << " x " << whole.rows << " by " << ratio;
    }
  }
}

TEST(AreaReduction, RowsWithAndWithoutSimdAreEqualAndStayInsideTheirPixels) {
  std::mt19937 random(3);
  for (int side = 2; side <= 9; ++side)
    for (const Block block : {Block{side, side}, Block{side, 2}, Block{4, side}})
      for (std::int64_t n = 1; n < 40; ++n) {
        const std::ptrdiff_t stride = 3 * block.width * n;
        // Exactly: a sanitizer sees a byte more.
        std::vector<std::uint8_t> from(static_cast<std::size_t>(stride * block.height));
        for (auto& v : from) v = static_cast<std::uint8_t>(random());
        std::vector<std::uint8_t> a(static_cast<std::size_t>(3 * n + 8), 9), b = a;
        area_row(from.data(), stride, block, n, a.data());
        area_row_portable(from.data(), stride, block, n, b.data());
        ASSERT_EQ(a, b) << block.width << " x " << block.height << ", " << n;
        for (std::size_t i = static_cast<std::size_t>(3 * n); i < a.size(); ++i) ASSERT_EQ(a[i], 9);
      }
}

TEST(AreaReduction, ASlideSmallerThanTheFactorIsRefused) {
  EXPECT_THROW(AreaReduction({3, 100}, 4), Error);
  EXPECT_THROW(AreaReduction({100, 100}, 0), Error);
  EXPECT_THROW(AreaReduction({5000, 5000}, 1025), Error);
  const AreaReduction area({100, 100}, 4);
  EXPECT_THROW(area.source_of({20, 0, 6, 1}), Error);
}

}  // namespace
}  // namespace nephron::host
