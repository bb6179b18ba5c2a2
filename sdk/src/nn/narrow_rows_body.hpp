// The body of narrow_rows.hpp, compiled once for each set of instructions: LANES floats make a vector.
#include "lanes.hpp"
#include "narrow_rows.hpp"

namespace nephron::nn {
namespace {

/// The sum of a vector, by halves.
inline float total(Floats v) {
  using Four = float __attribute__((vector_size(16)));
  Four parts[LANES / 4];
  __builtin_memcpy(parts, &v, sizeof v);
  Four sum = parts[0] + parts[1];
  for (int i = 2; i < LANES / 4; ++i) sum += parts[i];
  return (sum[0] + sum[2]) + (sum[1] + sum[3]);
}

template <class Of, int outputs>
void row(const NarrowJob& job, std::int64_t r) {
  using Value = typename Of::Value;
  const std::int64_t y = r % job.height, c = job.channels;
  const std::int64_t first = y > 0 ? 0 : 1, last = y + 1 < job.height ? 2 : 1;  // rows of the kernel that lie inside
  const auto* const middle = static_cast<const Value*>(job.from) + r * job.width * c;
  auto* to = static_cast<Value*>(job.to) + r * job.width * outputs;
  for (std::int64_t x = 0; x < job.width; ++x, to += outputs) {
    const std::int64_t left = x > 0 ? 0 : 1, right = x + 1 < job.width ? 2 : 1;
    Floats sums[outputs];
    for (int o = 0; o < outputs; ++o) sums[o] = Floats{};
    for (std::int64_t i = first; i <= last; ++i)
      for (std::int64_t j = left; j <= right; ++j) {
        const Value* const pixel = middle + ((i - 1) * job.width + x + j - 1) * c;
        const float* weights = job.weights + (3 * i + j) * c * outputs;
        for (std::int64_t k = 0; k < c; k += LANES, weights += outputs * LANES) {
          const Floats v = Of::load(pixel + k, LANES);
          for (int o = 0; o < outputs; ++o) sums[o] += v * OfFloat::load(weights + o * LANES, LANES);
        }
      }
    Floats out{};
    for (int o = 0; o < outputs; ++o) out[o] = total(sums[o]) + job.bias[o];
    Of::store(out, to, outputs);
  }
}

template <class Of>
void run_as(const NarrowJob& job, std::int64_t r) {
  if (job.outputs == 1) row<Of, 1>(job, r);
  else if (job.outputs == 2) row<Of, 2>(job, r);
  else if (job.outputs == 3) row<Of, 3>(job, r);
  else row<Of, 4>(job, r);
}

void run(const NarrowJob& job, std::int64_t r) {
  if (job.bfloat16) run_as<OfBfloat16>(job, r);
  else run_as<OfFloat>(job, r);
}

}  // namespace
}  // namespace nephron::nn
