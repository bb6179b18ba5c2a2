#include <host/tiling/most_likely.hpp>

#include <gtest/gtest.h>

namespace nephron::host {
namespace {

Image map_of(const std::vector<float>& values, Size size) {
  Image out(size, 1, Depth::f32);
  for (std::int64_t y = 0; y < size.height; ++y)
    for (std::int64_t x = 0; x < size.width; ++x)
      out.view().row<float>(y)[x] = values[static_cast<std::size_t>(y * size.width + x)];
  return out;
}

TEST(MostLikely, IsOneClassOrNone) {
  const std::vector<Image> maps{map_of({0.5F, 0.3F, 0.2F, 0.1F, 0.34F, 0.0F}, {6, 1}),
                                map_of({0.3F, 0.4F, 0.2F, 0.8F, 0.32F, 0.0F}, {6, 1}),
                                map_of({0.1F, 0.1F, 0.2F, 0.1F, 0.33F, 1.0F}, {6, 1})};
  const MostLikely found(maps.size(), {6, 1}, [&](std::size_t c) { return maps[c]; });
  const int expected[] = {0, 1, -1, 1, 0, 2};  // the third is background: 0.4
  for (int c = 0; c < 3; ++c) {
    const Image mask = found.mask(static_cast<std::size_t>(c));
    for (int x = 0; x < 6; ++x)
      EXPECT_EQ(mask.view().row<std::uint8_t>(0)[x], expected[x] == c ? 255 : 0) << "class " << c << " at " << x;
  }
}

}  // namespace
}  // namespace nephron::host
