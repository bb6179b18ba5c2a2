#include <host/feed/annotation.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/error.hpp>

namespace nephron::host {
namespace {

using testing::HasSubstr;

int at(const Image& m, std::int64_t x, std::int64_t y) { return m.view().row<std::uint8_t>(y)[x]; }

template <class F>
std::string error_of(F&& call) {
  try {
    call();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TEST(Rasteriser, FillsPolygonsWithTheirBoundaryAndKeepsHoles) {
  Rasteriser r({20, 20}, 2);
  r.polygon(1, {{{2.9, 2.9}, {12, 2}, {12, 12}, {2, 12}}, {{5, 5}, {9, 5}, {9, 9}, {5, 9}}});
  const Image m = r.labels({20, 20});
  EXPECT_EQ(at(m, 2, 2), 2);  // truncated, boundary included
  EXPECT_EQ(at(m, 12, 12), 2);
  EXPECT_EQ(at(m, 13, 12), 0);
  EXPECT_EQ(at(m, 7, 7), 0);  // hole
  EXPECT_EQ(at(m, 3, 7), 2);
}

TEST(Rasteriser, PolygonsMayLeaveTheSlide) {
  Rasteriser r({10, 10}, 1);
  r.polygon(0, {{{-1e12, -5}, {1e12, -5}, {1e12, 3}, {-1e12, 3}}});
  r.polygon(0, {{{50, 50}, {60, 50}, {60, 60}}});
  const Image m = r.labels({10, 10});
  EXPECT_EQ(at(m, 0, 0), 1);
  EXPECT_EQ(at(m, 9, 3), 1);
  EXPECT_EQ(at(m, 5, 4), 0);
}

TEST(Rasteriser, RunsGoDownColumnsOrAlongRows) {
  Rasteriser r({4, 3}, 2);
  const std::vector<Run> runs{{2, 3}};
  r.runs(0, runs, true);   // (0,2), (1,0), (1,1)
  r.runs(1, runs, false);  // (2,0), (3,0), (0,1)
  const Image m = r.labels({4, 3});
  const int expected[3][4] = {{0, 1, 2, 2}, {2, 1, 0, 0}, {1, 0, 0, 0}};
  for (int y = 0; y < 3; ++y)
    for (int x = 0; x < 4; ++x) EXPECT_EQ(at(m, x, y), expected[y][x]) << x << "," << y;
}

TEST(Rasteriser, LabelsAreReducedByNearestNeighbour) {
  Rasteriser r({8, 8}, 1);
  Image bits({8, 8}, 1);
  bits.view().row<std::uint8_t>(4)[2] = 1;  // kept by factor 2
  bits.view().row<std::uint8_t>(5)[5] = 1;  // lost by factor 2
  r.mask({0, 0, 8, 8}, bits.view());
  const Image m = r.labels({4, 4});
  EXPECT_EQ(at(m, 1, 2), 1);
  EXPECT_EQ(at(m, 2, 2), 0);
}

TEST(Rasteriser, ProbabilitiesBecomeSoftPlanesAndBits) {
  Rasteriser r({4, 2}, 2);
  Image p({2, 2}, 1, Depth::f32);
  p.view().row<float>(0)[0] = 0.75F;
  p.view().row<float>(0)[1] = 0.25F;
  r.probability(1, {0, 0, 2, 2}, p.view());
  const auto soft = r.soft({2, 1});
  ASSERT_EQ(soft.count(1), 1U);
  EXPECT_NEAR(at(soft.at(1), 0, 0), 255 / 4.0, 1);  // the mean of four pixels
  EXPECT_EQ(at(r.labels({4, 2}), 0, 0), 2);
  EXPECT_EQ(at(r.labels({4, 2}), 1, 0), 0);
}

TEST(Rasteriser, SaysWhatIsWrong) {
  Rasteriser r({10, 10}, 2);
  Image small({3, 3}, 1);
  small.view().row<std::uint8_t>(0)[0] = 4;
  EXPECT_THAT(error_of([&] { r.polygon(2, {}); }), HasSubstr("class 2, but the experiment has 2 classes"));
  EXPECT_THAT(error_of([&] { r.mask({8, 8, 3, 3}, small.view()); }), HasSubstr("3 x 3 at (8, 8), which is not inside"));
  EXPECT_THAT(error_of([&] { r.mask({0, 0, 3, 3}, small.view()); }), HasSubstr("sets bit 2"));
  const std::vector<Run> runs{{90, 11}};
  EXPECT_THAT(error_of([&] { r.runs(0, runs, true); }), HasSubstr("run 90 + 11 leaves the slide of 10 x 10"));
  Image p({1, 1}, 1, Depth::f32);
  p.view().row<float>(0)[0] = 1.5F;
  EXPECT_THAT(error_of([&] { r.probability(0, {0, 0, 1, 1}, p.view()); }), HasSubstr("numbers in [0, 1]"));
  EXPECT_THAT(error_of([&] { r.polygon(0, {{{0.0 / 0.0, 1}, {2, 2}, {3, 4}}}); }), HasSubstr("not a number"));
}

}  // namespace
}  // namespace nephron::host
