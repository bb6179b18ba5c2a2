#include <host/labels/label_stats.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace nephron::host {
namespace {

using testing::ElementsAre;

Polygon square(double x, double y, double side) {
  return {{{x, y}, {x + side - 1, y}, {x + side - 1, y + side - 1}, {x, y + side - 1}}};
}

/// Squares of these sides, each of the first class, on a slide of 100 x 50.
LabelSet squares(const std::vector<double>& sides, std::vector<std::string> classes) {
  LabelSet out;
  out.size = {100, 50};
  out.classes = std::move(classes);
  out.holds_objects = true;
  for (const double side : sides) out.objects.push_back({{square(3, 4, side)}, out.classes.front(), "", {}});
  return out;
}

TEST(LabelStats, CountsObjectsThatOverlapAndTheirPixelsOnce) {
  const auto stats = stats_of(squares({20, 5, 10}, {"G", "FC"}), 0.5);
  ASSERT_EQ(stats.size(), 2U);
  EXPECT_THAT(stats[0].objects, ElementsAre(25, 100, 400));
  EXPECT_EQ(stats[0].area, 400);
  EXPECT_EQ(stats[0].square_microns, 100);
  EXPECT_EQ(stats[0].runs, 20U);
  EXPECT_EQ(stats[0].box, (Region{3, 4, 20, 20}));
  EXPECT_TRUE(stats[1].objects.empty());
  EXPECT_EQ(json_of(stats[0])["share"], 400. / 5000);
  EXPECT_EQ(json_of(stats[0])["object_area_px"]["median"], 100);
  EXPECT_FALSE(json_of(stats[1]).contains("box"));
}

TEST(LabelStats, FilesAreAddedByTheNamesOfTheirClasses) {
  std::vector<ClassStats> total;
  add_stats(total, stats_of(squares({10}, {"G"}), 0.5));
  add_stats(total, stats_of(squares({4, 20}, {"FC", "G"}), 0.5));
  add_stats(total, stats_of(squares({6}, {"G"}), 2));
  ASSERT_EQ(total.size(), 2U);
  EXPECT_EQ(total[0].name, "G");
  EXPECT_THAT(total[0].objects, ElementsAre(36, 100));
  EXPECT_EQ(total[0].median(), 68);  // of an even number neither of the two in the middle
  EXPECT_EQ(json_of(total[0])["object_area_px"]["median"], 68);
  EXPECT_EQ(total[0].area, 136);
  EXPECT_EQ(total[0].slide_pixels, 15000);
  EXPECT_EQ(total[0].square_microns, 25 + 144);
  EXPECT_TRUE(total[0].box.empty());  // of no one file
  EXPECT_THAT(total[1].objects, ElementsAre(16, 400));
  EXPECT_EQ(total[1].slide_pixels, 5000);
  add_stats(total, stats_of(squares({6}, {"G"}), 0));
  EXPECT_EQ(total[0].square_microns, 0);  // of one file it is not known
}

}  // namespace
}  // namespace nephron::host
