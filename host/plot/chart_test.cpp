#include <host/html/chart.hpp>

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <host/html/escaped.hpp>
#include <host/plot/chart_picture.hpp>
#include <host/plot/run_curves.hpp>

namespace nephron::host {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Markup, EscapesEverythingThatMatters) {
  EXPECT_EQ(escaped("<a href=\"x\">'&'</a>"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
}

TEST(Chart, TicksAreRound) {
  EXPECT_THAT(nice_ticks(0, 100, 5), ElementsAre(0, 25, 50, 75, 100));
  EXPECT_THAT(nice_ticks(0.1, 0.9, 5), ElementsAre(::testing::DoubleNear(0, 1e-9), ::testing::DoubleNear(0.2, 1e-9),
                                                   ::testing::DoubleNear(0.4, 1e-9), ::testing::DoubleNear(0.6, 1e-9),
                                                   ::testing::DoubleNear(0.8, 1e-9), ::testing::DoubleNear(1, 1e-9)));
  EXPECT_GE(nice_ticks(3, 3, 5).size(), 2U);
}

TEST(Chart, ThinningKeepsTheMean) {
  std::vector<std::pair<double, double>> points;
  for (int i = 0; i < 1000; ++i) points.emplace_back(i, i % 2);
  const auto few = thinned(points, 100);
  ASSERT_EQ(few.size(), 100U);
  for (const auto& p : few) EXPECT_DOUBLE_EQ(p.second, 0.5);
  EXPECT_EQ(thinned(points, 2000).size(), 1000U);
}

TEST(Chart, LeavesOutWhatIsNotFinite) {
  EXPECT_FALSE(anything_in({"empty", "step"}));
  EXPECT_FALSE(anything_in({"nan", "step", {{"a", {{0, std::nan("")}}, 0, false}}}));
  const std::string one = chart_elements({"one", "step", {{"a", {{0, 1}, {1, INFINITY}, {2, 3}}, 0, false}}});
  EXPECT_THAT(one, HasSubstr("<polyline"));
  EXPECT_THAT(one, Not(HasSubstr("inf")));
  EXPECT_THAT(one, Not(HasSubstr("nan")));
}

TEST(Chart, TicksEndForNumbersThatHaveNoNext) { EXPECT_LE(nice_ticks(1e16, 1e16 + 4, 5).size(), 101U); }

TEST(Chart, AFileOfItsOwnHasColoursTitleAndLegend) {
  Chart chart{.title = "<Dice> & more", .x_label = "step", .y_label = "dice", .dashed = true};
  chart.series = {{"one", {{0, 0.1}, {1, 0.5}}, 0}, {"<two>", {{0, 0.2}, {1, 0.4}}, 1}};
  chart.bands = {{{{0, 0.1, 0.2}, {1, 0.4, 0.5}}, 0}};
  const std::string svg = chart_svg(chart, 800);
  for (const char* part : {"<?xml", "&lt;Dice&gt; &amp; more", "&lt;two&gt;", "#0072b2", "#d55e00", "<polygon",
                           "stroke-dasharray", "width=\"800\"", "height=\"500\""})
    EXPECT_THAT(svg, HasSubstr(part));
  EXPECT_THAT(svg, Not(HasSubstr("var(")));
  EXPECT_THAT(svg, Not(HasSubstr("<two>")));
}

/// How many pixels have about this colour.
int pixels_of(const Image& image, std::array<int, 3> rgb) {
  int out = 0;
  for (std::int64_t y = 0; y < image.size().height; ++y)
    for (std::int64_t x = 0; x < image.size().width; ++x) {
      const auto* const p = image.view().row<const std::uint8_t>(y) + 3 * x;
      out += std::abs(p[0] - rgb[0]) + std::abs(p[1] - rgb[1]) + std::abs(p[2] - rgb[2]) < 12 ? 1 : 0;
    }
  return out;
}

TEST(Chart, PixelsHaveTheSamePicture) {
  Chart chart{.title = "Dice", .x_label = "step", .y_label = "dice"};
  chart.series = {{"one", {{0, 0.1}, {1, 0.5}}, 0}, {"two", {{0, 0.5}, {1, 0.1}}, 1}};
  const Image picture = chart_picture(chart, 640);
  EXPECT_EQ(picture.size(), (Size{640, 400}));
  EXPECT_GT(pixels_of(picture, {0, 114, 178}), 300);
  EXPECT_GT(pixels_of(picture, {213, 94, 0}), 300);
  EXPECT_GT(pixels_of(picture, {255, 255, 255}), 200000);
  EXPECT_GT(pixels_of(picture, {22, 24, 29}), 40) << "letters of the title";
}

TEST(Chart, BarsStandSideBySideFromZero) {
  Chart chart{.title = "sizes", .x_label = "um"};
  chart.series = {{"true", {{5, 2}, {15, 4}}, 1, false, Marks::bars},
                  {"found", {{5, 1}, {15, 0}}, 0, false, Marks::bars}};
  const std::string svg = chart_elements(chart);
  std::size_t polygons = 0;
  for (std::size_t at = svg.find("<polygon"); at != std::string::npos; at = svg.find("<polygon", at + 1)) ++polygons;
  EXPECT_EQ(polygons, 3U) << "what is 0 has no bar";
}

TEST(JoinedCurve, MeanAndRangeWhereTwoGo) {
  const JoinedCurve one = joined({{{0, 0}, {10, 10}}, {{0, 4}, {5, 4}}, {}}, 2);
  EXPECT_THAT(one.mean, ElementsAre(std::pair(0.0, 2.0), std::pair(5.0, 4.5)));
  ASSERT_EQ(one.band.at.size(), 3U) << "the lines cross at 4";
  EXPECT_EQ(one.band.at[1].x, 4);
  EXPECT_EQ(one.band.at[1].low, one.band.at[1].high);
  EXPECT_EQ(one.band.at[2].low, 4);
  EXPECT_EQ(one.band.at[2].high, 5);
  EXPECT_EQ(one.band.colour, 2);
  EXPECT_TRUE(joined({{{0, 1}}}, 0).mean.empty());
  const JoinedCurve crossed = joined({{{0, 0}, {10, 10}}, {{0, 10}, {10, 0}}}, 0);
  EXPECT_EQ(crossed.mean.size(), 2U);
  ASSERT_EQ(crossed.band.at.size(), 3U) << "the range narrows where lines cross";
  EXPECT_EQ(crossed.band.at[1].x, 5);
  EXPECT_EQ(crossed.band.at[1].low, 5);
  EXPECT_EQ(crossed.band.at[1].high, 5);
}

}  // namespace
}  // namespace nephron::host
