#pragma once

// Vectors of LANES floats for bodies that are compiled once for each set of instructions. Nothing of the standard
// library: what files share must not be compiled for one of them.
#include <cstddef>
#include <cstdint>

namespace nephron::nn {
namespace {

using Floats = float __attribute__((vector_size(4 * LANES)));
using Ints = std::int32_t __attribute__((vector_size(4 * LANES)));
using Words = std::uint32_t __attribute__((vector_size(4 * LANES)));
using Halves = std::uint16_t __attribute__((vector_size(2 * LANES)));

inline Floats all(float v) { return v - Floats{}; }

/// A vector of `n` values at p; of fewer than LANES the others are 0.
struct OfFloat {
  using Value = float;
  static Floats load(const Value* p, std::int64_t n) {
    Floats v{};
    if (n >= LANES) __builtin_memcpy(&v, p, sizeof v);
    else __builtin_memcpy(&v, p, static_cast<std::size_t>(n) * sizeof(Value));
    return v;
  }
  static void store(Floats v, Value* p, std::int64_t n) {
    if (n >= LANES) __builtin_memcpy(p, &v, sizeof v);
    else __builtin_memcpy(p, &v, static_cast<std::size_t>(n) * sizeof(Value));
  }
};

struct OfBfloat16 {
  using Value = std::uint16_t;
  static Floats load(const Value* p, std::int64_t n) {
    Halves h{};
    if (n >= LANES) __builtin_memcpy(&h, p, sizeof h);
    else __builtin_memcpy(&h, p, static_cast<std::size_t>(n) * sizeof(Value));
    return reinterpret_cast<Floats>(__builtin_convertvector(h, Words) << 16);
  }
  /// To the nearest, ties to even; what is no number stays none.
  static void store(Floats v, Value* p, std::int64_t n) {
    const Words bits = reinterpret_cast<Words>(v);
    Words rounded = (bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16;
    rounded = v == v ? rounded : (bits >> 16) | 0x40U;
    const Halves h = __builtin_convertvector(rounded, Halves);
    if (n >= LANES) __builtin_memcpy(p, &h, sizeof h);
    else __builtin_memcpy(p, &h, static_cast<std::size_t>(n) * sizeof(Value));
  }
};

inline Floats floats(const float* p, std::int64_t n) { return OfFloat::load(p, n); }

/// Relative error below 2e-7 (Cephes' expf).
inline Floats exponential(Floats x) {
  x = x > all(88.0F) ? all(88.0F) : x;
  x = x < all(-87.0F) ? all(-87.0F) : x;
  const Floats magic = all(12582912.0F);  // 1.5 * 2^23: adding it rounds to a whole number
  const Floats n = (x * 1.44269504F + magic) - magic;
  const Floats r = (x - n * 0.693359375F) + n * 2.12194440e-4F;
  Floats p = all(1.9875691500e-4F);
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * r * r + r + 1.0F;
  return reinterpret_cast<Floats>(reinterpret_cast<Ints>(p) + (__builtin_convertvector(n, Ints) << 23));
}

inline Floats sigmoid(Floats z) { return 1.0F / (1.0F + exponential(-z)); }

}  // namespace
}  // namespace nephron::nn
