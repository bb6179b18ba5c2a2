#include <host/labels/column_runs.hpp>

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

namespace nephron::host {
namespace {

Runs in_bands(const Image& mask, std::int64_t height) {
  ColumnRuns runs(mask.size());
  for (std::int64_t y = 0; y < mask.size().height; y += height)
    runs.add(mask.view().crop({0, y, mask.size().width, std::min(height, mask.size().height - y)}));
  return runs.finish();
}

TEST(ColumnRuns, EqualThoseOfTheWholeMask) {
  std::mt19937 random(7);
  for (const auto& [size, share] :
       {std::pair{Size{37, 29}, 0.5}, std::pair{Size{64, 1}, 0.9}, std::pair{Size{1, 50}, 0.1},
        std::pair{Size{200, 100}, 0.98}, std::pair{Size{8, 8}, 1.1}, std::pair{Size{9, 5}, 0.0}}) {
    const Image mask(size, 1);
    std::uniform_real_distribution<double> draw(0, 1);
    for (std::int64_t y = 0; y < size.height; ++y)
      for (std::int64_t x = 0; x < size.width; ++x)
        mask.view().row<std::uint8_t>(y)[x] = draw(random) < share ? static_cast<std::uint8_t>(1 + (x + y) % 255) : 0;
    for (const std::int64_t height : {1, 7, 64}) EXPECT_EQ(in_bands(mask, height), encode_rle(mask.view()));
  }
}

}  // namespace
}  // namespace nephron::host
