#include <host/tiling/most_likely.hpp>

#include <cstdint>

namespace nephron::host {

MostLikely::MostLikely(std::size_t classes, Size size, const std::function<Image(std::size_t)>& map_of)
    : class_(size, 1) {
  const Image best(size, 1, Depth::f32), background(size, 1, Depth::f32);
  for (std::size_t c = 0; c < classes; ++c) {
    const Image map = map_of(c);
    for (std::int64_t y = 0; y < size.height; ++y) {
      const float* const p = map.view().row<const float>(y);
      float* const most = best.view().row<float>(y);
      float* const rest = background.view().row<float>(y);
      std::uint8_t* const of = class_.view().row<std::uint8_t>(y);
      for (std::int64_t x = 0; x < size.width; ++x) {
        rest[x] = (c == 0 ? 1 : rest[x]) - p[x];
        if (p[x] > most[x]) most[x] = p[x], of[x] = static_cast<std::uint8_t>(c + 1);
        if (c + 1 == classes && rest[x] >= most[x]) of[x] = 0;
      }
    }
  }
}

Image MostLikely::mask(std::size_t class_index) const {
  Image out(class_.size(), 1);
  for (std::int64_t y = 0; y < out.size().height; ++y) {
    const std::uint8_t* const of = class_.view().row<const std::uint8_t>(y);
    std::uint8_t* const to = out.view().row<std::uint8_t>(y);
    for (std::int64_t x = 0; x < out.size().width; ++x) to[x] = of[x] == class_index + 1 ? 255 : 0;
  }
  return out;
}

}  // namespace nephron::host
