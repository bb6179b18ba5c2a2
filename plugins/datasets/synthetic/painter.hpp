#pragma once

#include <array>
#include <cstdint>

#include <nephron/image.hpp>
#include <nephron/rng.hpp>

#include "scene.hpp"

namespace synthetic {

/// How strongly a donor's slides took the stain: a table a channel.
class Stain {
 public:
  Stain(nephron::Rng rng, double variation);
  std::uint8_t operator()(int channel, float value) const noexcept {
    return tables_[static_cast<std::size_t>(channel)][static_cast<std::size_t>(value < 0     ? 0
                                                                               : value > 255 ? 255
                                                                                             : value)];
  }

 private:
  std::array<std::array<std::uint8_t, 256>, 3> tables_{};
};

/// Paints a region of a scene (u8 RGB). A pixel depends on its place alone, never on the region.
void paint(const Scene& scene, const Stain& stain, const nephron::Region& region, const nephron::ImageView& out);

}  // namespace synthetic
