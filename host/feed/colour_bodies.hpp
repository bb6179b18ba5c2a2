#pragma once

#include <cstdint>

#include <host/feed/quad.hpp>

// The bodies of colour steps, for one pixel, RGB bytes to RGB bytes (in and out may be the same): a loop runs them on
// the CPU, a thin kernel on a GPU, so that tests on the CPU prove the code that the GPU runs. They point to tables,
// which ColourProgram makes.
namespace nephron::host {

/// A table a channel.
struct LookupBody {
  const std::uint8_t* table;  ///< [3][256]
  NEPHRON_HOST_DEVICE void operator()(const std::uint8_t* in, std::uint8_t* out) const {
    for (int c = 0; c < 3; ++c) out[c] = table[256 * c + in[c]];
  }
};

/// What each value of each channel contributes to the three results, added: a matrix of colours.
struct SumBody {
  const float* table;  ///< [3][256][4]
  NEPHRON_HOST_DEVICE void operator()(const std::uint8_t* in, std::uint8_t* out) const {
    (Quad::load(table + 4 * in[0]) + Quad::load(table + 4 * (256 + in[1])) + Quad::load(table + 4 * (512 + in[2])))
        .store_bytes(out);
  }
};

/// The same, multiplied: a matrix of optical densities, for exp(a + b) = exp(a) exp(b).
struct ProductBody {
  const float* table;  ///< [3][256][4]
  NEPHRON_HOST_DEVICE void operator()(const std::uint8_t* in, std::uint8_t* out) const {
    (Quad::load(table + 4 * in[0]) * Quad::load(table + 4 * (256 + in[1])) * Quad::load(table + 4 * (512 + in[2])))
        .at_most(255)
        .store_bytes(out);
  }
};

/// Where a value lies between the nodes of a cube's side.
struct CubeCell {
  std::int32_t node = 0;  ///< the one below
  float share = 0;        ///< of the one above
};

struct CubeBody {
  const float* nodes;     ///< [side][side][side][4]: blue, green, red
  const CubeCell* cells;  ///< of each value
  std::int32_t side;

  NEPHRON_HOST_DEVICE void operator()(const std::uint8_t* in, std::uint8_t* out) const {
    const CubeCell r = cells[in[0]], g = cells[in[1]], b = cells[in[2]];
    const std::int32_t row = 4 * side, plane = row * side;
    const float* at = nodes + 4 * r.node + row * g.node + plane * b.node;
    const auto between = [](Quad low, Quad high, float share) { return low + (high - low) * share; };
    const auto along_red = [&](const float* p) { return between(Quad::load(p), Quad::load(p + 4), r.share); };
    const Quad near = between(along_red(at), along_red(at + row), g.share);
    const Quad far = between(along_red(at + plane), along_red(at + plane + row), g.share);
    between(near, far, b.share).store_bytes(out);
  }
};

}  // namespace nephron::host
