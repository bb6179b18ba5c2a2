#pragma once

#include <cstddef>
#include <cstdint>

#include <host/feed/quad.hpp>

// The bodies of geometric steps, for one pixel of the result: where it is read, and what is read there. A thin kernel
// runs both at once on a GPU; a loop on the CPU the places of a row, then its pixels.
//
// Positions are whole numbers: 1/32 px where the picture is interpolated, pixels where the nearest one is taken,
// rounded as OpenCV's warpAffine and remap do. They are of the whole picture, so that a part of the result equals the
// part of the whole result.
namespace nephron::host {

struct Place {
  std::int32_t x = 0, y = 0;
};
inline constexpr int place_bits = 5;  ///< of the fraction of a place that is interpolated

/// A picture of which a region is in memory, with at least eight bytes behind its end.
struct HeldPixels {
  const std::uint8_t* data = nullptr;
  std::ptrdiff_t stride = 0;
  std::int32_t x = 0, y = 0;           ///< of the region's corner
  std::int32_t width = 0, height = 0;  ///< of the picture

  NEPHRON_HOST_DEVICE const std::uint8_t* at(std::int32_t px, std::int32_t py, int bytes) const {
    return data + (py - y) * stride + static_cast<std::ptrdiff_t>(px - x) * bytes;
  }
  NEPHRON_HOST_DEVICE bool has(std::int32_t px, std::int32_t py) const {
    return static_cast<std::uint32_t>(px) < static_cast<std::uint32_t>(width) &&
           static_cast<std::uint32_t>(py) < static_cast<std::uint32_t>(height);
  }
};

/// A position beyond the edge is mirrored in at the outermost pixel.
NEPHRON_HOST_DEVICE inline std::int32_t reflected(std::int32_t p, std::int32_t extent) {
  if (extent == 1) return 0;
  const std::int32_t period = 2 * (extent - 1);
  std::int32_t q = p < 0 ? -p : p;
  if (q > period) q %= period;  // rarely: a division takes longer than all else
  return q < extent ? q : period - q;
}

/// One pixel as it is; 0 beyond a constant border.
template <int size>
struct NearestPixel {
  static constexpr int bytes = size;
  HeldPixels from;
  bool reflect = false;

  NEPHRON_HOST_DEVICE void operator()(Place p, std::uint8_t* out) const {
    if (!from.has(p.x, p.y)) {
      if (!reflect) {
        for (int i = 0; i < bytes; ++i) out[i] = 0;
        return;
      }
      p = {reflected(p.x, from.width), reflected(p.y, from.height)};
    }
    const std::uint8_t* pixel = from.at(p.x, p.y, bytes);
    for (int i = 0; i < bytes; ++i) out[i] = pixel[i];
  }
};

#if defined(NEPHRON_QUAD_IN_REGISTER)
struct LinearWeights {
  alignas(16) std::int16_t beside[32][8];  ///< 32 - fx, fx, and so on
  alignas(16) std::int16_t below[32][8];   ///< fy
};
constexpr LinearWeights make_linear_weights() {
  LinearWeights out{};
  for (int f = 0; f < 32; ++f)
    for (int i = 0; i < 8; ++i) {
      out.beside[f][i] = static_cast<std::int16_t>(i % 2 == 0 ? 32 - f : f);
      out.below[f][i] = static_cast<std::int16_t>(f);
    }
  return out;
}
inline constexpr LinearWeights linear_weights = make_linear_weights();
#endif

/// Linear interpolation between four RGB pixels; beyond a constant border lies black.
struct LinearPixel {
  static constexpr int bytes = 3;
  HeldPixels from;
  bool reflect = false;

  NEPHRON_HOST_DEVICE void operator()(Place p, std::uint8_t* out) const {
    const std::int32_t x = p.x >> place_bits, y = p.y >> place_bits, fx = p.x & 31, fy = p.y & 31;
    if (static_cast<std::uint32_t>(x) < static_cast<std::uint32_t>(from.width - 1) &&
        static_cast<std::uint32_t>(y) < static_cast<std::uint32_t>(from.height - 1)) {
      const std::uint8_t* above = from.at(x, y, 3);
      inside(above, above + from.stride, fx, fy, out);
    } else {
      at_edge(x, y, fx, fy, out);
    }
  }

 private:
  // The four pixels lie in the picture.
  NEPHRON_HOST_DEVICE static void inside(const std::uint8_t* above, const std::uint8_t* below, std::int32_t fx,
                                         std::int32_t fy, std::uint8_t* out) {
#if defined(NEPHRON_QUAD_IN_REGISTER)
    const auto pair = [](const std::uint8_t* p) {  // R0 R1 G0 G1 B0 B1, 16 bits each
      const __m128i both = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
      return _mm_unpacklo_epi8(_mm_unpacklo_epi8(both, _mm_srli_epi64(both, 24)), _mm_setzero_si128());
    };
    const auto load = [](const std::int16_t* p) { return _mm_load_si128(reinterpret_cast<const __m128i*>(p)); };
    const __m128i high = pair(above), low = pair(below);
    const __m128i rows = _mm_add_epi16(_mm_slli_epi16(high, 5),
                                       _mm_mullo_epi16(_mm_sub_epi16(low, high), load(linear_weights.below[fy])));
    const __m128i sum = _mm_madd_epi16(rows, load(linear_weights.beside[fx]));
    store_three(_mm_srai_epi32(_mm_add_epi32(sum, _mm_set1_epi32(512)), 10), out);
#else
    for (int c = 0; c < 3; ++c) {
      const std::int32_t left = 32 * above[c] + (below[c] - above[c]) * fy,
                         right = 32 * above[3 + c] + (below[3 + c] - above[3 + c]) * fy;
      out[c] = static_cast<std::uint8_t>((left * (32 - fx) + right * fx + 512) >> 10);
    }
#endif
  }

  NEPHRON_HOST_DEVICE void at_edge(std::int32_t x, std::int32_t y, std::int32_t fx, std::int32_t fy,
                                   std::uint8_t* out) const {
    const std::int32_t weights[4] = {(32 - fx) * (32 - fy), fx * (32 - fy), (32 - fx) * fy, fx * fy};
    std::int32_t sum[3] = {512, 512, 512};
    for (int i = 0; i < 4; ++i) {
      std::int32_t px = x + i % 2, py = y + i / 2;
      if (!from.has(px, py)) {
        if (!reflect) continue;
        px = reflected(px, from.width), py = reflected(py, from.height);
      }
      const std::uint8_t* pixel = from.at(px, py, 3);
      for (int c = 0; c < 3; ++c) sum[c] += weights[i] * pixel[c];
    }
    for (int c = 0; c < 3; ++c) out[c] = static_cast<std::uint8_t>(sum[c] >> 10);
  }
};

/// Pixel x of a mirrored row.
template <int bytes>
struct MirrorBody {
  const std::uint8_t* row;
  std::int64_t width;
  NEPHRON_HOST_DEVICE void operator()(std::int64_t x, std::uint8_t* out) const {
    const std::uint8_t* pixel = row + bytes * (width - 1 - x);
    for (int i = 0; i < bytes; ++i) out[i] = pixel[i];
  }
};

/// An affine map: what each column and each row of the result contributes to the position, in 1/1024 px.
struct AffineMap {
  const Place* columns;
  const Place* rows;
  struct Row {
    const Place* columns;
    Place start;
    template <bool interpolated>
    NEPHRON_HOST_DEVICE Place place(std::int32_t x) const {
      constexpr int drop = interpolated ? 10 - place_bits : 10;
      constexpr std::int32_t half = 1 << (drop - 1);
      return {(columns[x].x + (start.x + half)) >> drop, (columns[x].y + (start.y + half)) >> drop};
    }
  };
  NEPHRON_HOST_DEVICE Row row(std::int32_t y) const { return {columns, rows[y]}; }
};

/// Where a column or a row of the picture lies between the nodes of a grid.
struct GridCell {
  std::int32_t node = 0;  ///< the one before
  float share = 0;        ///< of the one after
};

/// A coarse grid of displacements is spread in two passes. The first: one number of the nodes of one row of the result.
struct GridRow {
  const float* above;  ///< the nodes before the row: [across][2], dx and dy
  std::int32_t across;
  float share;  ///< of the nodes after the row
  NEPHRON_HOST_DEVICE float operator()(std::int32_t i) const {
    return above[i] + (above[2 * across + i] - above[i]) * share;
  }
};

/// The second: one pixel of the result.
struct GridMap {
  const float* spread;  ///< what GridRow gave, of the rows from first_row: [row][across][2]
  std::int32_t across;
  std::int32_t first_row;
  const GridCell* columns;  ///< of the picture
  struct Row {
    const float* nodes;
    const GridCell* columns;
    float y;
    template <bool interpolated>
    NEPHRON_HOST_DEVICE Place place(std::int32_t x) const {
      const GridCell column = columns[x];
      const float* before = nodes + 2 * column.node;
      const float dx = before[0] + (before[2] - before[0]) * column.share,
                  dy = before[1] + (before[3] - before[1]) * column.share;
      constexpr float unit = interpolated ? 1 << place_bits : 1;
      return {nearest((static_cast<float>(x) + dx) * unit), nearest((y + dy) * unit)};
    }
  };
  NEPHRON_HOST_DEVICE Row row(std::int32_t y) const {
    return {spread + static_cast<std::ptrdiff_t>(2 * across) * (y - first_row), columns, static_cast<float>(y)};
  }
};

}  // namespace nephron::host
