#pragma once

#include <vector>

#include <nephron/image.hpp>

#include <host/tiling/tile_source.hpp>

namespace nephron::host {

/// Holds the maps of a picture until they are written.
class HeldMaps final : public ProbabilitySink {
 public:
  void begin(Size size, int classes) override {
    for (int c = 0; c < classes; ++c) planes.emplace_back(size, 1, Depth::f32);
  }
  void rows(std::int64_t y, std::span<const ImageView> classes) override {
    for (std::size_t c = 0; c < classes.size(); ++c)
      copy(classes[c], planes[c].view().crop({0, y, classes[c].width, classes[c].height}));
  }
  std::vector<Image> planes;  ///< a class each
};

/// Probabilities as 8 bits: 255 is 1.
inline Image to_bytes(const ImageView& map) {
  Image out(map.size(), 1);
  for (std::int64_t y = 0; y < map.height; ++y) {
    const float* const from = map.row<const float>(y);
    std::uint8_t* const to = out.view().row<std::uint8_t>(y);
    for (std::int64_t x = 0; x < map.width; ++x) to[x] = static_cast<std::uint8_t>(from[x] * 255.0F + 0.5F);
  }
  return out;
}

}  // namespace nephron::host
