// What training needs besides winograd_tiles_body.hpp, compiled once for each set of instructions.
#include "winograd_tiles_body.hpp"

namespace nephron::nn {
namespace {

constexpr float scale_0 = 1 / (a2 * b2), scale_a = 1 / (2 * a2 * (a2 - b2)), scale_b = 1 / (2 * b2 * (b2 - a2));

/// Three taps of a kernel at the six points, along one axis.
inline void taps_to_points(const Floats w[3], Floats r[6]) {
  const Floats even_a = scale_a * (w[0] + a2 * w[2]), odd_a = scale_a * a1 * w[1];
  const Floats even_b = scale_b * (w[0] + b2 * w[2]), odd_b = scale_b * b1 * w[1];
  r[0] = scale_0 * w[0];
  r[1] = even_a + odd_a;
  r[2] = even_a - odd_a;
  r[3] = even_b + odd_b;
  r[4] = even_b - odd_b;
  r[5] = w[2];
}

/// Its adjoint.
inline void points_to_taps(const Floats r[6], Floats w[3]) {
  const Floats sum_a = scale_a * (r[1] + r[2]), sum_b = scale_b * (r[3] + r[4]);
  w[0] = scale_0 * r[0] + sum_a + sum_b;
  w[1] = scale_a * a1 * (r[1] - r[2]) + scale_b * b1 * (r[3] - r[4]);
  w[2] = a2 * sum_a + b2 * sum_b + r[5];
}

/// The adjoint of from_points(): gradients of four outputs to those of the values at the points.
inline void gradient_to_points(const Floats y[4], Floats m[6]) {
  const Floats even_a = y[0] + a2 * y[2], odd_a = a1 * y[1] + a3 * y[3];
  const Floats even_b = y[0] + b2 * y[2], odd_b = b1 * y[1] + b3 * y[3];
  m[0] = y[0];
  m[1] = even_a + odd_a;
  m[2] = even_a - odd_a;
  m[3] = even_b + odd_b;
  m[4] = even_b - odd_b;
  m[5] = y[3];
}

void pack(const float* taps, std::int64_t outputs, bool turned, std::int64_t panel, float* to, std::int64_t point,
          std::int64_t row) {
  for (std::int64_t o = 0; o < outputs; o += LANES) {
    const std::int64_t n = lanes_from(o, outputs);
    Floats half[6][3];
    for (int s = 0; s < 3; ++s) {
      Floats w[3], r[6];
      for (int k = 0; k < 3; ++k) w[k] = OfFloat::load(taps + (turned ? 8 - 3 * k - s : 3 * k + s) * outputs + o, n);
      taps_to_points(w, r);
      for (int i = 0; i < 6; ++i) half[i][s] = r[i];
    }
    float* const at = to + o / panel * row + o % panel;
    for (int i = 0; i < 6; ++i) {
      Floats r[6];
      taps_to_points(half[i], r);
      for (int j = 0; j < 6; ++j) OfFloat::store(r[j], at + (6 * i + j) * point, LANES);
    }
  }
}

void unpack(const float* sums, std::int64_t n, std::int64_t point, float* taps) {
  for (std::int64_t k = 0; k < n; k += LANES) {
    Floats half[6][3];
    for (int i = 0; i < 6; ++i) {
      Floats r[6];
      for (int j = 0; j < 6; ++j) r[j] = OfFloat::load(sums + (6 * i + j) * point + k, LANES);
      points_to_taps(r, half[i]);
    }
    for (int s = 0; s < 3; ++s) {
      Floats r[6], w[3];
      for (int i = 0; i < 6; ++i) r[i] = half[i][s];
      points_to_taps(r, w);
      for (int q = 0; q < 3; ++q) OfFloat::store(w[q], taps + (3 * q + s) * n + k, lanes_from(k, n));
    }
  }
}

/// Gradients of a tile's outputs; of those beyond the map there is none.
template <class Of>
inline void read_gradient(const TileJob& job, const void* gradient, const Place& at, float* to, std::int64_t stride) {
  using Value = typename Of::Value;
  for (std::int64_t o = 0; o < job.outputs; o += LANES) {
    Floats columns[4][6];
    for (int j = 0; j < 4; ++j) {
      Floats y[4];
      for (int i = 0; i < 4; ++i) {
        const bool inside = at.y + i < job.height && at.x + j < job.width;
        const std::int64_t place = ((at.image * job.height + at.y + i) * job.width + at.x + j) * job.outputs + o;
        y[i] = inside ? Of::load(static_cast<const Value*>(gradient) + place, LANES) : Floats{};
      }
      gradient_to_points(y, columns[j]);
    }
    for (int i = 0; i < 6; ++i) {
      Floats y[4], m[6];
      for (int j = 0; j < 4; ++j) y[j] = columns[j][i];
      gradient_to_points(y, m);
      for (int j = 0; j < 6; ++j) OfFloat::store(m[j], to + (6 * i + j) * stride + o, LANES);
    }
  }
}

template <class Of>
void at_points_as(const TileJob& job, const HeldTiles& held, std::int64_t begin, std::int64_t end) {
  const std::int64_t v_stride = point_stride(held.count, held.row), g_stride = point_stride(held.count, job.outputs);
  for (std::int64_t t = begin; t < end; ++t) {
    const Place at = place_of(job, held.first + t);
    float* to = held.v + t * held.row;
    for (const TilePart& part : job.parts) {
      if (part.doubled) read_tile<Of, true>(job, part, at, to, v_stride);
      else read_tile<Of, false>(job, part, at, to, v_stride);
      to += part.channels;
    }
    read_gradient<Of>(job, held.gradient, at, held.g + t * job.outputs, g_stride);
  }
}

void at_points(const TileJob& job, const HeldTiles& held, std::int64_t begin, std::int64_t end) {
  if (job.type == MapType::bfloat16) at_points_as<OfBfloat16>(job, held, begin, end);
  else at_points_as<OfFloat>(job, held, begin, end);
}

/// sums [rows, vectors * LANES] += g^T v, of `rows` outputs and as many channels.
template <int rows, int vectors>
inline void add_block(const float* v, const float* g, std::int64_t count, std::int64_t channels, std::int64_t outputs,
                      float* sums) {
  Floats own[rows][vectors];
  for (int r = 0; r < rows; ++r)
    for (int i = 0; i < vectors; ++i) own[r][i] = OfFloat::load(sums + r * channels + i * LANES, LANES);
  for (std::int64_t t = 0; t < count; ++t, v += channels, g += outputs) {
    Floats x[vectors];
    for (int i = 0; i < vectors; ++i) x[i] = OfFloat::load(v + i * LANES, LANES);
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r) {
      const Floats y = all(g[r]);
#pragma GCC unroll 2
      for (int i = 0; i < vectors; ++i) own[r][i] += y * x[i];
    }
  }
  for (int r = 0; r < rows; ++r)
    for (int i = 0; i < vectors; ++i) OfFloat::store(own[r][i], sums + r * channels + i * LANES, LANES);
}

constexpr int gradient_rows = LANES == 16 ? 8 : 4;  // with two vectors of sums each; outputs are a multiple of it

void add_products(const float* v, const float* g, std::int64_t count, std::int64_t channels, std::int64_t outputs,
                  float* sums) {
  std::int64_t c = 0;
  for (; c + 2 * LANES <= channels; c += 2 * LANES)
    for (std::int64_t o = 0; o < outputs; o += gradient_rows)
      add_block<gradient_rows, 2>(v + c, g + o, count, channels, outputs, sums + o * channels + c);
  for (; c < channels; c += LANES)
    for (std::int64_t o = 0; o < outputs; o += gradient_rows)
      add_block<gradient_rows, 1>(v + c, g + o, count, channels, outputs, sums + o * channels + c);
}

}  // namespace
}  // namespace nephron::nn
