#include <host/data/tissue_index.hpp>

#include <gtest/gtest.h>

#include <nephron/error.hpp>
#include <nephron/rng.hpp>

namespace nephron::host {
namespace {

TEST(TissueIndex, CountsThePixelsOfItsBlocks) {
  Rng rng(7, "tissue");
  for (int round = 0; round < 30; ++round) {
    Tissue tissue;
    tissue.block = 1 << rng.integer(0, 4);
    const Size level{rng.integer(1, 150), rng.integer(1, 150)};
    tissue.mask =
        Image({(level.width + tissue.block - 1) / tissue.block, (level.height + tissue.block - 1) / tissue.block}, 1);
    for (std::int64_t y = 0; y < tissue.mask.size().height; ++y)
      for (std::int64_t x = 0; x < tissue.mask.size().width; ++x)
        tissue.mask.view().row<std::uint8_t>(y)[x] = rng.chance(0.4) ? 255 : 0;
    const TissueIndex index(tissue, level);
    for (int n = 0; n < 40; ++n) {
      const Region region{rng.integer(-20, level.width), rng.integer(-20, level.height), rng.integer(0, 90),
                          rng.integer(0, 90)};
      const Region inside = region.clipped({0, 0, level.width, level.height});
      std::int64_t expected = 0;
      for (std::int64_t y = inside.y; y < inside.y + inside.height; ++y)
        for (std::int64_t x = inside.x; x < inside.x + inside.width; ++x)
          expected += tissue.mask.view().row<const std::uint8_t>(y / tissue.block)[x / tissue.block] != 0;
      ASSERT_EQ(index.pixels(region), expected) << "blocks of " << tissue.block;
    }
  }
  EXPECT_EQ(TissueIndex().pixels({0, 0, 9, 9}), 0);
  Tissue other;
  other.mask = Image({3, 3}, 1);
  EXPECT_THROW(TissueIndex(other, {4, 3}), Error);
}

}  // namespace
}  // namespace nephron::host
