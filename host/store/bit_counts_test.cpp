#include <host/store/bit_counts.hpp>

#include <random>

#include <gtest/gtest.h>

#include <nephron/label_pixels.hpp>

namespace nephron::host {
namespace {

// Runs of every length, of widths that are no multiples of what is counted at once, in parts of a map.
TEST(BitCounts, CountsEachBitOfEachPixel) {
  std::mt19937 random(1);
  for (const Depth depth : {Depth::u8, Depth::u16, Depth::u32})
    for (std::int64_t width = 1; width < 40; ++width) {
      const Image map({width + 3, 9}, 1, depth);
      const ImageView part = map.view().crop({2, 1, width, 7});
      std::vector<std::int64_t> expected(32);
      with_label_type(depth, [&](auto zero) {
        using T = decltype(zero);
        T value = 0;
        for (std::int64_t y = 0; y < part.height; ++y)
          for (std::int64_t x = 0; x < part.width; ++x) {
            if (random() % (1 + random() % 12) == 0) value = static_cast<T>(random() & random());
            part.row<T>(y)[x] = value;
            for (std::size_t bit = 0; bit < 8 * sizeof(T); ++bit) expected[bit] += value >> bit & 1U;
          }
      });
      BitCounts counts;
      counts.add(part);
      ASSERT_EQ(counts.of_first(32), expected) << width;
    }
}

}  // namespace
}  // namespace nephron::host
