#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include <nephron/rng.hpp>

/// Values that follow a distribution, fast: one of 65,536 quantiles, by 16 bits of the generator. Nothing lies beyond
/// the first and the last, of probability 1 / 131,072 (4.3 deviations of a normal distribution).
class NoiseTable {
 public:
  static constexpr std::size_t size = 65536;

  /// `quantile(u)`: the value below which the share u lies.
  template <class Quantile>
  static NoiseTable of(const Quantile& quantile) {
    NoiseTable out;
    out.values_.reserve(size);
    for (std::size_t i = 0; i < size; ++i)
      out.values_.push_back(static_cast<float>(quantile((static_cast<double>(i) + 0.5) / size)));
    return out;
  }

  /// Calls use(value) n times.
  template <class Use>
  void draw(std::size_t n, nephron::Rng& rng, const Use& use) const {
    for (std::size_t i = 0; i < n; i += 2) {
      const std::uint32_t bits = rng.bits();
      use(values_[bits & 0xffff]);
      if (i + 1 < n) use(values_[bits >> 16]);
    }
  }

 private:
  std::vector<float> values_;
};

/// Of mean 0 and deviation 1: each quantile by Newton's method from the one before it.
inline const NoiseTable& normal_table() {
  static const NoiseTable table = [] {
    double at = -6;
    return NoiseTable::of([&](double u) {
      for (int i = 0; i < 60; ++i) {
        const double below = 0.5 * std::erfc(-at / std::sqrt(2.0)),
                     density = std::exp(-at * at / 2) / std::sqrt(2 * M_PI);
        const double step = std::clamp((u - below) / density, -0.5, 0.5);
        at += step;
        if (std::abs(step) < 1e-9) break;
      }
      return at;
    });
  }();
  return table;
}

/// Numbers of events of which `mean` are expected.
inline NoiseTable poisson_table(double mean) {
  double events = 0, probability = std::exp(-mean), below = probability;
  return NoiseTable::of([&](double u) {
    while (below < u && events < 10 * (mean + 10)) {
      ++events;
      probability *= mean / events;
      below += probability;
    }
    return events;
  });
}
