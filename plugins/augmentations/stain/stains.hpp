#pragma once

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include <nephron/augmentation.hpp>
#include <nephron/error.hpp>

// Two stains, haematoxylin and eosin, and maps of optical densities d (a row, RGB) through their amounts.

/// Optical densities of a stain, red, green, blue. Of any length.
using Stain = std::array<double, 3>;
using StainPair = std::array<Stain, 2>;
using Pair = std::array<double, 2>;

inline double dot(const Stain& a, const Stain& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

/// Of d: which amounts of the two stains come nearest to it (least squares). Throws Error where both are one direction.
inline std::array<Stain, 2> amounts_of(const StainPair& s) {
  const double a = dot(s[0], s[0]), b = dot(s[0], s[1]), c = dot(s[1], s[1]), determinant = a * c - b * b;
  if (!(determinant > 1e-6 * a * c))
    throw nephron::Error("two stains have the same colour, or one has none: their amounts cannot be told apart");
  std::array<Stain, 2> out{};
  for (std::size_t i = 0; i < 3; ++i) {
    out[0][i] = (c * s[0][i] - b * s[1][i]) / determinant;
    out[1][i] = (a * s[1][i] - b * s[0][i]) / determinant;
  }
  return out;
}

/// The matrix of densities (Plan::density_matrix) that turns amounts x of `from` into factors x + shifts of `to`.
inline std::array<float, 12> stain_matrix(const StainPair& from, const StainPair& to, const Pair& factors,
                                          const Pair& shifts) {
  const std::array<Stain, 2> amounts = amounts_of(from);
  std::array<float, 12> out{};
  for (std::size_t row = 0; row < 3; ++row) {
    for (std::size_t column = 0; column < 3; ++column)
      out[4 * row + column] = static_cast<float>(factors[0] * amounts[0][column] * to[0][row] +
                                                 factors[1] * amounts[1][column] * to[1][row]);
    out[4 * row + 3] = static_cast<float>(shifts[0] * to[0][row] + shifts[1] * to[1][row]);
  }
  return out;
}

/// What Plan::density_matrix takes; a slide whose statistics lie beyond is better left as it is than refused.
inline bool within_a_plan(const std::array<float, 12>& matrix) {
  for (std::size_t i = 0; i < matrix.size(); ++i)
    if (!(std::abs(matrix[i]) <= (i % 4 == 3 ? 20.0F : 4.0F))) return false;
  return true;
}
