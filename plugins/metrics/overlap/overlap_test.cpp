#include <tests/support/metric_fixture.hpp>

namespace nephron::host {
namespace {

using Overlap = MetricTest;

TEST_F(Overlap, CountsPixels) {
  const std::vector<std::string> drawing{"##t.p", "#tt.?", "....."};
  EXPECT_DOUBLE_EQ(values(*shown(*make("dice"), drawing)).at("dice"), 6.0 / 10);
  EXPECT_DOUBLE_EQ(values(*shown(*make("iou"), drawing)).at("iou"), 3.0 / 7);
  EXPECT_DOUBLE_EQ(values(*shown(*make("precision"), drawing)).at("precision"), 3.0 / 4);
  EXPECT_DOUBLE_EQ(values(*shown(*make("recall"), drawing)).at("recall"), 3.0 / 6);
}

TEST_F(Overlap, AddsUpRowsOfAnyLength) {
  for (const std::size_t width : {1, 63, 64, 65, 200, 64 * 255 + 70, 64 * 300}) {
    const std::string half = std::string(width / 2, '#') + std::string(width - width / 2, 't');
    const double both = static_cast<double>(width / 2), all = static_cast<double>(width);
    EXPECT_DOUBLE_EQ(values(*shown(*make("recall"), {half, half})).at("recall"), both / all) << width;
  }
}

TEST_F(Overlap, EmptyMasks) {
  EXPECT_EQ(values(*shown(*make("dice"), {"..."})).at("dice"), 1) << "nothing was to be found, and nothing was";
  EXPECT_EQ(values(*shown(*make("dice"), {".p."})).at("dice"), 0);
  EXPECT_EQ(values(*shown(*make("dice"), {".t."})).at("dice"), 0);
  EXPECT_TRUE(std::isnan(values(*shown(*make("precision"), {".t."})).at("precision")));
  EXPECT_TRUE(std::isnan(values(*shown(*make("recall"), {".p."})).at("recall")));
  EXPECT_EQ(values(*shown(*make("recall", {{"empty", "zero", {}}}), {".p."})).at("recall"), 0);
}

TEST_F(Overlap, MicroIsOfAllPixels) {
  const auto dice = make("dice");
  const auto sum = dice->begin(slide({}));
  sum->add(*shown(*dice, {"####"}));
  sum->add(*shown(*dice, {"tttp"}));
  EXPECT_DOUBLE_EQ(values(*sum).at("dice"), 2.0 * 4 / (7 + 5));
}

}  // namespace
}  // namespace nephron::host
