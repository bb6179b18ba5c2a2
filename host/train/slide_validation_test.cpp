#include <host/train/slide_validation.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <host/data/memory_slide.hpp>

namespace nephron::host {
namespace {

using testing::HasSubstr;

/// White, with purple tissue in one place and a label in another.
std::shared_ptr<const PreparedSlide> slide(std::int64_t side, const Region& tissue, const Region& label,
                                           float weight = 1) {
  MemorySlide::Parts parts;
  parts.info.id = "s";
  parts.classes = 1;
  parts.annotated = true;
  parts.image = Image({side, side}, 3);
  parts.labels = Image({side, side}, 1);
  const auto inside = [](const Region& r, std::int64_t x, std::int64_t y) {
    return x >= r.x && x < r.x + r.width && y >= r.y && y < r.y + r.height;
  };
  for (std::int64_t y = 0; y < side; ++y)
    for (std::int64_t x = 0; x < side; ++x) {
      std::uint8_t* const p = parts.image.view().row<std::uint8_t>(y) + 3 * x;
      p[0] = 240, p[1] = 240, p[2] = 240;
      if (inside(tissue, x, y)) p[1] = 40;
      if (inside(label, x, y)) parts.labels.view().row<std::uint8_t>(y)[x] = 1;
    }
  parts.targets = {{.any_of = 1, .none_of = 0, .weight = weight}};
  return std::make_shared<MemorySlide>(std::move(parts));
}

Experiment experiment() {
  Experiment out;
  out.classes = {"a"};
  out.data.tile = 32;
  return out;
}

TEST(HeldOutSlides, LargeOnesLoseTilesWithoutTissueAndLabel) {
  const Region tissue{0, 0, 64, 64}, label{400, 400, 5, 5};
  const HeldOutSlides held(experiment(), {slide(512, tissue, label)}, 32);
  EXPECT_TRUE(held.wanted(0, {32, 32, 32, 32}));
  EXPECT_TRUE(held.wanted(0, {64, 0, 32, 32})) << "beside tissue, as predict has it";
  EXPECT_TRUE(held.wanted(0, {384, 384, 32, 32})) << "a labelled pixel always counts";
  EXPECT_TRUE(held.wanted(0, {404, 404, 32, 32}));
  EXPECT_FALSE(held.wanted(0, {200, 200, 32, 32}));
  EXPECT_LT(held.tiles(), 40);
  EXPECT_THAT(held.text(), HasSubstr("of 576 tiles: the others hold neither tissue nor label"));
}

TEST(HeldOutSlides, SmallOnesAndThoseWithoutColoursAreWhole) {
  const HeldOutSlides small(experiment(), {slide(150, {0, 0, 20, 20}, {})}, 32);
  EXPECT_TRUE(small.wanted(0, {100, 100, 32, 32}));
  EXPECT_EQ(small.text(), "1 whole slide, 49 tiles");
  const HeldOutSlides between(experiment(), {slide(175, {0, 0, 20, 20}, {})}, 32);
  EXPECT_THAT(between.text(), HasSubstr("of 64 tiles")) << "predict counts 81, and skips what holds neither";
  const HeldOutSlides grey(experiment(), {slide(512, {}, {})}, 32);
  EXPECT_TRUE(grey.wanted(0, {200, 200, 32, 32}));
}

TEST(HeldOutSlides, SayWhetherAnyTellsOfAClass) {
  EXPECT_TRUE(HeldOutSlides(experiment(), {slide(64, {}, {}, 0), slide(64, {}, {})}, 32).tells_of(0));
  EXPECT_FALSE(HeldOutSlides(experiment(), {slide(64, {}, {}, 0), slide(64, {}, {}, 0)}, 32).tells_of(0));
}

}  // namespace
}  // namespace nephron::host
