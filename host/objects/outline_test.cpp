// Outlines against OpenCV: what fillPoly fills of them is the object again.
#include <host/objects/outline.hpp>

#include <cmath>

#include <gtest/gtest.h>
#include <opencv2/imgproc.hpp>

#include <nephron/error.hpp>
#include <nephron/image_cv.hpp>
#include <nephron/rng.hpp>

#include <tests/support/error_of.hpp>

namespace nephron::host {
namespace {

Image random_mask(Rng& rng, Size size, double share) {
  Image mask(size, 1);
  for (std::int64_t y = 0; y < size.height; ++y)
    for (std::int64_t x = 0; x < size.width; ++x) mask.view().row<std::uint8_t>(y)[x] = rng.uniform() < share ? 1 : 0;
  return mask;
}

std::vector<FoundObject> objects_of(const Image& mask) {
  ObjectFinder finder;
  finder.rows(0, mask.view());
  return finder.finish();
}

double signed_area(const std::vector<Point>& ring) {
  double out = 0;
  for (std::size_t i = 0; i < ring.size(); ++i) {
    const Point a = ring[i], b = ring[(i + 1) % ring.size()];
    out += (a.x * b.y - b.x * a.y) / 2;
  }
  return out;
}

cv::Mat filled(const Polygon& polygon, cv::Size size) {
  std::vector<std::vector<cv::Point>> rings;
  for (const auto& ring : polygon) {
    rings.emplace_back();
    for (const Point& p : ring) rings.back().emplace_back(int(p.x), int(p.y));
  }
  cv::Mat out = cv::Mat::zeros(size, CV_8U);
  cv::fillPoly(out, rings, cv::Scalar(1));
  return out;
}

TEST(Outline, FilledAgainIsTheObject) {
  Rng rng(3, "outline");
  for (int round = 0; round < 200; ++round) {
    const Size size{rng.integer(1, 24), rng.integer(1, 24)};
    const Image mask = random_mask(rng, size, 0.1 + 0.8 * rng.uniform());
    for (const int scale : {1, 2, 5}) {
      cv::Mat all = cv::Mat::zeros(int(size.height) * scale, int(size.width) * scale, CV_8U);
      for (const FoundObject& object : objects_of(mask))
        all += filled(contour_of(object, Rings::pixels, scale), all.size());
      cv::Mat expected;
      cv::resize(as_mat(mask.view()), expected, all.size(), 0, 0, cv::INTER_NEAREST);
      ASSERT_EQ(cv::norm(all, expected, cv::NORM_INF), 0) << "round " << round << ", scale " << scale;
    }
  }
}

TEST(Outline, EdgesHaveTheAreaOfTheObject) {
  Rng rng(4, "outline");
  for (int round = 0; round < 100; ++round) {
    const Image mask = random_mask(rng, {rng.integer(1, 30), rng.integer(1, 30)}, rng.uniform());
    for (const FoundObject& object : objects_of(mask)) {
      const Polygon polygon = contour_of(object, Rings::edges, 3);
      double area = 0;
      for (std::size_t i = 0; i < polygon.size(); ++i) {
        const double one = signed_area(polygon[i]);
        EXPECT_EQ(one > 0, i == 0) << "outlines turn one way, holes the other";
        area += one;
      }
      ASSERT_EQ(area, 9.0 * static_cast<double>(object.area));
    }
  }
}

TEST(Outline, OfASquareHasFourCorners) {
  Image mask({9, 9}, 1);
  for (std::int64_t y = 2; y < 6; ++y) std::fill_n(mask.view().row<std::uint8_t>(y) + 3, 4, std::uint8_t{1});
  const FoundObject object = objects_of(mask).at(0);
  const Polygon edges = contour_of(object, Rings::edges);
  ASSERT_EQ(edges.size(), 1U);
  ASSERT_EQ(edges[0].size(), 4U);
  EXPECT_EQ(signed_area(edges[0]), 16);
  const Polygon pixels = contour_of(object, Rings::pixels);
  ASSERT_EQ(pixels[0].size(), 4U);
  EXPECT_EQ(signed_area(pixels[0]), 9) << "from the first pixel to the last";
}

TEST(Outline, OfSeveralObjectsIsRefused) {
  const std::vector<RowRun> two{{0, 0, 3}, {0, 5, 6}};
  EXPECT_NE(error_of([&] { contour_of(two, Rings::edges); }), "");
  EXPECT_TRUE(contour_of(std::vector<RowRun>{}, Rings::edges).empty());
}

}  // namespace
}  // namespace nephron::host
