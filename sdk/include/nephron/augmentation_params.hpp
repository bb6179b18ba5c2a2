#pragma once

#include <array>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include <nephron/augmentation.hpp>
#include <nephron/error.hpp>

// What augmentations have alike: ranges, the parameter `border`, Gaussian kernels.
namespace nephron {

/// Refuses a range whose larger number stands first; for validate().
template <class T>
void require_order(const char* name, const std::array<T, 2>& range) {
  if (range[0] > range[1])
    throw Error(std::string(name) + " = [" + Value(range[0]).str() + ", " + Value(range[1]).str() +
                "]: expected the smaller number first");
}

/// The same of the sides of kernels, which have a middle.
inline void require_odd_order(const char* name, const std::array<int, 2>& range) {
  require_order(name, range);
  if (range[0] % 2 == 0 || range[1] % 2 == 0)
    throw Error(std::string(name) + " = [" + std::to_string(range[0]) + ", " + std::to_string(range[1]) +
                "]: expected two odd numbers, the smaller first");
}

inline double drawn(const std::array<double, 2>& range, Rng& rng) noexcept { return rng.uniform(range[0], range[1]); }
/// Both ends included.
inline int drawn(const std::array<int, 2>& range, Rng& rng) noexcept {
  return static_cast<int>(rng.integer(range[0], range[1]));
}
/// An odd number; both ends are odd.
inline int drawn_odd(const std::array<int, 2>& range, Rng& rng) noexcept {
  return range[0] + 2 * static_cast<int>(rng.integer(0, (range[1] - range[0]) / 2));
}

/// The parameter `border` of what moves pixels.
template <class Params>
void border_field(Schema<Params>& s, std::string Params::*member) {
  s.field("border", member, "what lies beyond the picture: its mirror image, or black")
      .choices({"reflect_101", "constant"});
}
inline Border border_of(const std::string& name) noexcept {
  return name == "constant" ? Border::constant : Border::reflect_101;
}

/// A Gaussian that sums to one.
inline std::vector<float> gaussian_kernel(int side, double sigma) {
  std::vector<double> k(static_cast<std::size_t>(side));
  for (int i = 0; i < side; ++i) k[static_cast<std::size_t>(i)] = std::exp(-0.5 * std::pow((i - side / 2) / sigma, 2));
  const double sum = std::accumulate(k.begin(), k.end(), 0.0);
  std::vector<float> out;
  out.reserve(k.size());
  for (const double v : k) out.push_back(static_cast<float>(v / sum));
  return out;
}

/// The one that OpenCV takes when it is given an odd side and no deviation: fixed ones up to side 7.
inline std::vector<float> gaussian_kernel_of_side(int side) {
  switch (side) {
    case 1:
      return {1};
    case 3:
      return {0.25F, 0.5F, 0.25F};
    case 5:
      return {0.0625F, 0.25F, 0.375F, 0.25F, 0.0625F};
    case 7:
      return {0.03125F, 0.109375F, 0.21875F, 0.28125F, 0.21875F, 0.109375F, 0.03125F};
    default:
      return gaussian_kernel(side, 0.3 * ((side - 1) * 0.5 - 1) + 0.8);
  }
}

}  // namespace nephron
