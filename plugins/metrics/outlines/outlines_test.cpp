#include <tests/support/metric_fixture.hpp>

namespace nephron::host {
namespace {

using Outlines = MetricTest;

TEST_F(Outlines, OfEqualMasksAreTheSame) {
  const auto found = values(*shown(*make("boundary"), {"....", ".##.", ".###", "...."}, 0.5));
  EXPECT_EQ(found.at("nsd@5um"), 1);
  EXPECT_EQ(found.at("hd95"), 0);
  EXPECT_EQ(found.at("assd"), 0);
}

// Two squares of 2 px, 4 px apart: the nearest corners of each are 2 px from the other, the far ones up to 4.
TEST_F(Outlines, DistancesAreInMicrons) {
  const std::vector<std::string> drawing{"......", "tt..pp", "tt..pp", "......"};
  const auto um =
      values(*shown(*make("boundary", {{"tau", Value(Value::Array{Value(1.0), Value(1.5)}), {}}}), drawing, 0.5));
  EXPECT_DOUBLE_EQ(um.at("hd95"), 2) << "4 px of half a micron";
  EXPECT_DOUBLE_EQ(um.at("assd"), 1.5) << "3 px: both squares are alike";
  EXPECT_GT(um.at("nsd@1.5um"), um.at("nsd@1um"));
  const auto px = values(*shown(*make("boundary", {{"unit", "px", {}}}), drawing, 0));
  EXPECT_DOUBLE_EQ(px.at("hd95"), 4);
  EXPECT_EQ(px.at("nsd@5px"), 1);
}

TEST_F(Outlines, EmptyMasks) {
  const auto none = values(*shown(*make("boundary"), {"...", "..."}));
  for (const auto& [name, value] : none) EXPECT_TRUE(std::isnan(value)) << name;
  const auto missed = values(*shown(*make("boundary"), {"tt.", "..."}));
  EXPECT_EQ(missed.at("nsd@5um"), 0);
  EXPECT_TRUE(std::isnan(missed.at("hd95")));
  const auto unknown = values(*shown(*make("boundary"), {"##.", "..."}, 0));
  EXPECT_TRUE(std::isnan(unknown.at("nsd@5um"))) << "no resolution, no microns";
}

TEST_F(Outlines, PoolAsTheySay) {
  const auto boundary = make("boundary");
  const std::vector<std::string> near{"tt.", "##.", "...", "..."}, far{"ttt", "...", "...", "ppp"};
  const auto sum = boundary->begin(slide({}, 0));
  sum->add(*shown(*boundary, near));
  sum->add(*shown(*boundary, far));
  sum->add(*shown(*boundary, {"..."}));
  const double a = values(*shown(*boundary, near)).at("hd95"), b = values(*shown(*boundary, far)).at("hd95");
  EXPECT_DOUBLE_EQ(values(*sum).at("hd95"), (a + b) / 2) << "the mean of those that have it";
}

}  // namespace
}  // namespace nephron::host
