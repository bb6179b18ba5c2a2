#pragma once

#include <cstdint>
#include <span>

#include <nephron/rng.hpp>

namespace nephron::host {

/// Fills `drawn` with numbers below `units`, each as likely as another but for units / 2^32.
inline void draw_units(Rng& rng, std::uint32_t units, std::span<std::uint32_t> drawn) {
  for (std::uint32_t& d : drawn) d = static_cast<std::uint32_t>(std::uint64_t{rng.bits()} * units >> 32);
}

}  // namespace nephron::host
