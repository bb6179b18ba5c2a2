// Every row of a scan against cv::fillPoly on a picture of the whole slide.
#include <host/labels/polygon_scan.hpp>

#include <cmath>
#include <numbers>

#include <gtest/gtest.h>
#include <opencv2/imgproc.hpp>

#include <nephron/error.hpp>
#include <nephron/rng.hpp>

namespace nephron::host {
namespace {

cv::Mat filled_by_opencv(const Polygon& polygon, Size slide) {
  cv::Mat out = cv::Mat::zeros(int(slide.height), int(slide.width), CV_8U);
  std::vector<std::vector<cv::Point>> rings;
  for (const auto& ring : polygon) {
    rings.emplace_back();
    for (const Point& p : ring) rings.back().emplace_back(int(p.x), int(p.y));
  }
  cv::fillPoly(out, rings, cv::Scalar(1));
  return out;
}

/// Rows first, first + step, ... into a picture that is 0 elsewhere.
cv::Mat filled_by_scan(const Polygon& polygon, Size slide, std::int64_t first = 0, std::int64_t step = 1) {
  cv::Mat out = cv::Mat::zeros(int(slide.height), int(slide.width), CV_8U);
  const PolygonScan scan(polygon, slide);
  PolygonScan::Walk walk(scan);
  std::vector<Span> spans;
  for (std::int64_t y = first; y < slide.height; y += step) {
    spans.clear();
    walk.row(y, spans);
    for (const Span& s : spans) {
      EXPECT_GE(s.first, 0);
      EXPECT_LT(s.last, slide.width);
      EXPECT_TRUE(Region({s.first, y, s.last - s.first + 1, 1}).clipped(scan.box()).width == s.last - s.first + 1);
      out.row(int(y)).colRange(int(s.first), int(s.last) + 1).setTo(1);
    }
  }
  return out;
}

// Later versions clip what bounds the inside as well; see the header.
constexpr bool same_outside = CV_VERSION_MAJOR == 4 && CV_VERSION_MINOR <= 6;

/// Blobs, stars that cross themselves, slivers; now and then with holes, far out, or with equal vertices.
Polygon random_polygon(Rng& rng, Size slide) {
  const double reach = !same_outside         ? 0
                       : rng.uniform() < 0.5 ? 0.2
                       : rng.uniform() < 0.8 ? 1.5
                                             : 40;  // how far it leaves the slide
  const auto anywhere = [&](std::int64_t side) {
    return rng.uniform(-reach, 1 + reach) * (static_cast<double>(side) - 1);
  };
  Polygon out;
  const int rings = rng.uniform() < 0.7 ? 1 : 1 + int(rng.integer(0, 3));
  for (int r = 0; r < rings; ++r) {
    std::vector<Point> ring;
    const int n = 1 + int(rng.integer(0, rng.uniform() < 0.9 ? 12 : 120));
    if (rng.uniform() < 0.5) {
      for (int i = 0; i < n; ++i) ring.push_back({anywhere(slide.width), anywhere(slide.height)});
    } else {
      const Point centre{anywhere(slide.width), anywhere(slide.height)};
      const auto radius = [&](double at, std::int64_t side) {
        return same_outside ? rng.uniform(0, double(side)) : std::min(at, double(side - 1) - at);
      };
      const double a = radius(centre.x, slide.width), b = radius(centre.y, slide.height);
      for (int i = 0; i < n; ++i) {
        const double t = 2 * std::numbers::pi * i / n, wobble = rng.uniform(0.7, 1);
        ring.push_back({centre.x + a * wobble * std::cos(t), centre.y + b * wobble * std::sin(t)});
      }
    }
    if (rng.uniform() < 0.3) ring.push_back(ring.front());
    if (rng.uniform() < 0.2) ring.push_back({ring.back().x, anywhere(slide.height)});
    if (rng.uniform() < 0.2) ring.push_back({anywhere(slide.width), ring.back().y});
    out.push_back(std::move(ring));
  }
  return out;
}

TEST(PolygonScan, IsFillPolyOfTheWholeSlide) {
  Rng rng(7, "polygons");
  int seen = 0;
  for (int i = 0; i < 20000; ++i) {
    const Size slide{1 + rng.integer(0, 90), 1 + rng.integer(0, 90)};
    const Polygon polygon = random_polygon(rng, slide);
    const cv::Mat expected = filled_by_opencv(polygon, slide), found = filled_by_scan(polygon, slide);
    ASSERT_EQ(cv::norm(expected, found, cv::NORM_INF), 0) << "polygon " << i;
    seen += cv::countNonZero(expected) > 0;
  }
  EXPECT_GT(seen, 8000);
}

TEST(PolygonScan, IsFillPolyOnALargeSlide) {
  Rng rng(8, "large polygons");
  for (int i = 0; i < 300; ++i) {
    const Size slide{500 + rng.integer(0, 1500), 500 + rng.integer(0, 1500)};
    const Polygon polygon = random_polygon(rng, slide);
    ASSERT_EQ(cv::norm(filled_by_opencv(polygon, slide), filled_by_scan(polygon, slide), cv::NORM_INF), 0) << i;
  }
}

TEST(PolygonScan, GivesSingleRowsAsItGivesAll) {
  Rng rng(9, "rows");
  for (int i = 0; i < 500; ++i) {
    const Size slide{120, 110};
    const Polygon polygon = random_polygon(rng, slide);
    const std::int64_t first = rng.integer(0, 100), step = 1 + rng.integer(0, 9);
    const cv::Mat all = filled_by_scan(polygon, slide), some = filled_by_scan(polygon, slide, first, step);
    for (std::int64_t y = first; y < slide.height; y += step)
      ASSERT_EQ(cv::norm(all.row(int(y)), some.row(int(y)), cv::NORM_INF), 0) << i << " row " << y;
  }
}

TEST(PolygonScan, EndsForVerticesFarOut) {
  const PolygonScan scan({{{-1e300, -5}, {1e300, -5}, {1e300, 3.9}, {-1e300, 3.9}}}, {10, 10});
  EXPECT_EQ(scan.box(), (Region{0, 0, 10, 4}));
  EXPECT_TRUE(PolygonScan({{{50, 50}, {60, 50}, {60, 60}}}, {10, 10}).empty());
  EXPECT_TRUE(PolygonScan({}, {10, 10}).empty());
  EXPECT_TRUE(PolygonScan({{}}, {10, 10}).empty());
  EXPECT_THROW(PolygonScan({{{0.0 / 0.0, 1}, {2, 2}, {3, 4}}}, {10, 10}), Error);
}

}  // namespace
}  // namespace nephron::host
