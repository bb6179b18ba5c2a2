#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include <nephron/export.hpp>

namespace nephron {

namespace detail {
/// One block of Philox 4x32-10.
NEPHRON_API std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter,
                                                std::array<std::uint32_t, 2> key) noexcept;
}  // namespace detail

/// Counter-based random numbers: Philox 4x32-10 (Salmon et al. 2011, doi:10.1145/2063384.2063405).
///
/// The stream is a function of its key alone, so a sample is the same whatever the number of workers or their
/// order. A value type of 64 bytes; not thread-safe, copies are independent continuations of the same stream.
class NEPHRON_API Rng {
 public:
  /// Key of a stream: `path` names the component ("augmentation[2]"), `index` the sample.
  Rng(std::uint64_t seed, std::string_view path, std::uint64_t epoch = 0, std::uint64_t index = 0) noexcept;

  /// A stream of its own, for a part of the work; does not advance this one.
  Rng fork(std::string_view path) const noexcept;

  std::uint32_t bits() noexcept;
  std::uint64_t bits64() noexcept;
  /// [0, 1), 53 bits.
  double uniform() noexcept;
  /// [low, high); low when both are equal.
  double uniform(double low, double high) noexcept;
  /// Integer in [low, high], both ends included, without modulo bias. Needs low <= high.
  std::int64_t integer(std::int64_t low, std::int64_t high) noexcept;
  /// True with probability p.
  bool chance(double p) noexcept;
  /// Normal, mean 0, deviation 1 (Box-Muller).
  double normal() noexcept;
  /// Gamma(shape, 1); shape > 0 (Marsaglia and Tsang 2000, doi:10.1145/358407.358414).
  double gamma(double shape) noexcept;
  /// Beta(a, b); a, b > 0.
  double beta(double a, double b) noexcept;

 private:
  void refill() noexcept;
  std::array<std::uint32_t, 2> key_{};
  std::array<std::uint32_t, 4> counter_{};
  std::array<std::uint32_t, 4> block_{};
  std::uint32_t used_ = 4;
};

}  // namespace nephron
