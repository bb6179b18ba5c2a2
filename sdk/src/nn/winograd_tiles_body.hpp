// The body of winograd_tiles.hpp, compiled once for each set of instructions: LANES floats make a vector, and ROWS
// tiles times two vectors of sums fill its registers.
#include "lanes.hpp"
#include "winograd_tiles.hpp"

namespace nephron::nn {
namespace {

constexpr float a1 = point_a, a2 = a1 * a1, a3 = a2 * a1, b1 = point_b, b2 = b1 * b1, b3 = b2 * b1;

/// Six values of the input to the values at the six points, along one axis.
inline void to_points(const Floats d[6], Floats r[6]) {
  const Floats even_a = d[4] - b2 * d[2], odd_a = a1 * (d[3] - b2 * d[1]);
  const Floats even_b = d[4] - a2 * d[2], odd_b = b1 * (d[3] - a2 * d[1]);
  r[0] = a2 * b2 * d[0] - (a2 + b2) * d[2] + d[4];
  r[1] = even_a + odd_a;
  r[2] = even_a - odd_a;
  r[3] = even_b + odd_b;
  r[4] = even_b - odd_b;
  r[5] = a2 * b2 * d[1] - (a2 + b2) * d[3] + d[5];
}

/// Values at the six points to four outputs, along one axis.
inline void from_points(const Floats m[6], Floats y[4]) {
  const Floats sum_a = m[1] + m[2], gap_a = m[1] - m[2], sum_b = m[3] + m[4], gap_b = m[3] - m[4];
  y[0] = m[0] + sum_a + sum_b;
  y[1] = a1 * gap_a + b1 * gap_b;
  y[2] = a2 * sum_a + b2 * sum_b;
  y[3] = a3 * gap_a + b3 * gap_b + m[5];
}

/// How many of `n` values a vector from `k` on holds.
inline std::int64_t lanes_from(std::int64_t k, std::int64_t n) { return n - k < LANES ? n - k : LANES; }

/// The upper left output of a tile.
struct Place {
  std::int64_t image, y, x;
};

inline Place place_of(const TileJob& job, std::int64_t tile) {
  const std::int64_t across = (job.width + 3) / 4, down = (job.height + 3) / 4;
  return {tile / (across * down), tile / across % down * 4, tile % across * 4};
}

/// Distinct rows (or columns) of a tile's 6x6 inputs: in a doubled map neighbours 1 and 2, 3 and 4 are the same.
template <bool doubled>
struct Axis {
  static constexpr int count = doubled ? 4 : 6;
  static constexpr int of[6] = {0, 1, doubled ? 1 : 2, doubled ? 2 : 3, doubled ? 2 : 4, doubled ? 3 : 5};
  static constexpr int first[6] = {0, 1, doubled ? 3 : 2, doubled ? 5 : 3, 4, 5};  ///< the first place of each
};

template <class Of, bool doubled>
inline void read_tile(const TileJob& job, const TilePart& part, const Place& at, float* to, std::int64_t stride) {
  using Value = typename Of::Value;
  using Line = Axis<doubled>;
  constexpr int shift = doubled ? 1 : 0, count = Line::count;
  const auto* map = static_cast<const Value*>(part.map);
  const std::int64_t c = part.channels, height = job.height >> shift, width = job.width >> shift;
  const Value* pixels[count][count];
  for (int i = 0; i < count; ++i)
    for (int j = 0; j < count; ++j) {
      const std::int64_t y = at.y + Line::first[i] - 1, x = at.x + Line::first[j] - 1;
      const bool inside = y >= 0 && y < job.height && x >= 0 && x < job.width;
      pixels[i][j] = inside ? map + ((at.image * height + (y >> shift)) * width + (x >> shift)) * c
                            : reinterpret_cast<const Value*>(job.zeros);
    }
  for (std::int64_t next = 0; next < c; next += LANES) {
    // The last vector reaches back over what was done, so that none is short; but of fewer channels than a vector has.
    const std::int64_t k = next + LANES <= c || c < LANES ? next : c - LANES, n = c < LANES ? c : LANES;
    Floats columns[count][6];
    for (int j = 0; j < count; ++j) {
      Floats own[count], d[6];
      for (int i = 0; i < count; ++i) own[i] = Of::load(pixels[i][j] + k, n);
      for (int i = 0; i < 6; ++i) d[i] = own[Line::of[i]];
      to_points(d, columns[j]);
    }
    for (int i = 0; i < 6; ++i) {
      Floats d[6], r[6];
      for (int j = 0; j < 6; ++j) d[j] = columns[Line::of[j]][i];
      to_points(d, r);
      for (int j = 0; j < 6; ++j) OfFloat::store(r[j], to + (6 * i + j) * stride + k, n);
    }
  }
}

/// m [rows, vectors * LANES of outputs] = v [rows, channels] times a panel of weights.
template <int rows, int vectors>
inline void multiply_rows(const float* v, const float* weights, float* m, std::int64_t channels, std::int64_t outputs) {
  Floats sums[rows][vectors];
  for (int r = 0; r < rows; ++r)
    for (int i = 0; i < vectors; ++i) sums[r][i] = Floats{};
  for (std::int64_t k = 0; k < channels; ++k, weights += vectors * LANES) {
    Floats w[vectors];
    for (int i = 0; i < vectors; ++i) w[i] = OfFloat::load(weights + i * LANES, LANES);
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r) {
      const Floats x = all(v[r * channels + k]);
#pragma GCC unroll 2
      for (int i = 0; i < vectors; ++i) sums[r][i] += x * w[i];
    }
  }
  for (int r = 0; r < rows; ++r)
    for (int i = 0; i < vectors; ++i) OfFloat::store(sums[r][i], m + r * outputs + i * LANES, LANES);
}

template <int rows, int vectors>
inline void multiply_fewer(std::int64_t n, const float* v, const float* weights, float* m, std::int64_t channels,
                           std::int64_t outputs) {
  if (n == rows) multiply_rows<rows, vectors>(v, weights, m, channels, outputs);
  else if constexpr (rows > 1) multiply_fewer<rows - 1, vectors>(n, v, weights, m, channels, outputs);
}

/// m [count, outputs] = v [count, channels] times the weights of one point.
template <int vectors>
void multiply(const TileJob& job, const float* v, const float* weights, float* m, std::int64_t count) {
  for (std::int64_t o = 0; o < job.outputs; o += vectors * LANES, weights += job.channels * vectors * LANES) {
    std::int64_t t = 0;
    for (; t + ROWS <= count; t += ROWS)
      multiply_rows<ROWS, vectors>(v + t * job.channels, weights, m + t * job.outputs + o, job.channels, job.outputs);
    if (t < count)
      multiply_fewer<ROWS - 1, vectors>(count - t, v + t * job.channels, weights, m + t * job.outputs + o, job.channels,
                                        job.outputs);
  }
}

/// A tile's outputs, of which four make one. Sides of such a map are even.
template <class Of>
inline void write_halved(const TileJob& job, const TileOut& out, const Place& at, const Floats lines[6][4],
                         std::int64_t k, std::int64_t rows, std::int64_t columns) {
  using Value = typename Of::Value;
  for (int j = 0; j < columns; j += 2) {
    Floats d[6], left[4], right[4];
    for (int i = 0; i < 6; ++i) d[i] = lines[i][j];
    from_points(d, left);
    for (int i = 0; i < 6; ++i) d[i] = lines[i][j + 1];
    from_points(d, right);
    for (int i = 0; i < rows; i += 2) {
      const std::int64_t place =
          ((at.image * (job.height / 2) + (at.y + i) / 2) * (job.width / 2) + (at.x + j) / 2) * out.channels + k;
      Of::store(left[i] + right[i] + left[i + 1] + right[i + 1], static_cast<Value*>(out.map) + place,
                lanes_from(k, out.channels));
    }
  }
}

template <class Of, bool relu, bool adds>
inline void write_tile(const TileJob& job, const Place& at, const float* m, std::int64_t stride) {
  using Value = typename Of::Value;
  const std::int64_t rows = job.height - at.y < 4 ? job.height - at.y : 4,
                     columns = job.width - at.x < 4 ? job.width - at.x : 4;
  for (std::int64_t o = 0; o < job.outputs; o += LANES) {
    Floats lines[6][4];
    for (int i = 0; i < 6; ++i) {
      Floats line[6];
      for (int j = 0; j < 6; ++j) line[j] = OfFloat::load(m + (6 * i + j) * stride + o, LANES);
      from_points(line, lines[i]);
    }
    const bool second = o >= job.outs[0].channels;
    const TileOut& out = job.outs[second ? 1 : 0];
    const std::int64_t k = second ? o - job.outs[0].channels : o;
    if (out.halved) {
      write_halved<Of>(job, out, at, lines, k, rows, columns);
      continue;
    }
    const Floats bias = OfFloat::load(job.bias + o, LANES);
    for (int j = 0; j < columns; ++j) {
      Floats d[6], y[4];
      for (int i = 0; i < 6; ++i) d[i] = lines[i][j];
      from_points(d, y);
      for (int i = 0; i < rows; ++i) {
        const std::int64_t place = ((at.image * job.height + at.y + i) * job.width + at.x + j) * out.channels + k;
        Floats z = y[i] + bias;
        if (adds) z += Of::load(static_cast<const Value*>(job.more) + place, LANES);
        if (relu) z = z < Floats{} ? Floats{} : z;  // what is no number stays none
        Of::store(z, static_cast<Value*>(out.map) + place, lanes_from(k, out.channels));
      }
    }
  }
}

template <class Of>
void run_as(const TileJob& job, std::int64_t first, std::int64_t count, float* scratch) {
  const std::int64_t v_stride = point_stride(count, job.channels), m_stride = point_stride(count, job.outputs);
  float *const v = scratch, *const m = scratch + winograd_points * v_stride;
  for (std::int64_t t = 0; t < count; ++t) {
    float* to = v + t * job.channels;
    for (const TilePart& part : job.parts) {
      if (part.doubled) read_tile<Of, true>(job, part, place_of(job, first + t), to, v_stride);
      else read_tile<Of, false>(job, part, place_of(job, first + t), to, v_stride);
      to += part.channels;
    }
  }
  for (std::int64_t p = 0; p < winograd_points; ++p) {
    const float* const weights = job.weights + p * job.channels * job.outputs;
    if (job.panel == LANES) multiply<1>(job, v + p * v_stride, weights, m + p * m_stride, count);
    else multiply<2>(job, v + p * v_stride, weights, m + p * m_stride, count);
  }
  const auto write = job.more != nullptr ? (job.relu ? &write_tile<Of, true, true> : &write_tile<Of, false, true>)
                                         : (job.relu ? &write_tile<Of, true, false> : &write_tile<Of, false, false>);
  for (std::int64_t t = 0; t < count; ++t) write(job, place_of(job, first + t), m + t * job.outputs, m_stride);
}

void run(const TileJob& job, std::int64_t first, std::int64_t count, float* scratch) {
  if (job.type == MapType::bfloat16) run_as<OfBfloat16>(job, first, count, scratch);
  else run_as<OfFloat>(job, first, count, scratch);
}

}  // namespace
}  // namespace nephron::nn
