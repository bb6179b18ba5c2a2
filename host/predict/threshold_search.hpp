#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include <nephron/image.hpp>

namespace nephron::host {

/// The thresholds that a search tries, ascending: numpy.linspace(0.2, 0.7, 11).
inline constexpr std::array<double, 11> searched_thresholds = [] {
  std::array<double, 11> out{};
  for (int i = 0; i < 11; ++i) out[static_cast<std::size_t>(i)] = i * ((0.7 - 0.2) / 10) + 0.2;
  out.back() = 0.7;
  return out;
}();

inline constexpr std::size_t half =
    6;  ///< searched_thresholds[half] is 0.5: taken where there is nothing to search with
static_assert(searched_thresholds[half] == 0.5);

/// For each pixel of a map (f32) the number of searched thresholds that it exceeds. It has all that the masks of every
/// threshold have, so that the threshold can be chosen once all pictures are known.
Image levels_of(const ImageView& map);
/// 255 where searched_thresholds[index] is exceeded.
Image mask_of(const ImageView& levels, std::size_t index);

/// Pixels by level and truth, from which the Dice of every searched threshold comes. Parts of a picture add up.
class CurveCounts {
 public:
  /// Pixels where `ignored` is not 0 are left out; it may be empty: none. Throws Error when the sizes differ.
  void add(const ImageView& levels, const ImageView& truth, const ImageView& ignored = {});
  /// Of the mask of each searched threshold.
  std::vector<double> dice() const;

 private:
  std::array<std::array<std::int64_t, 2>, 256> pixels_{};
};

/// Dice of the mask of each searched threshold, of a whole picture.
std::vector<double> dice_curve(const Image& levels, const Image& truth, const Image& ignored = {});

/// The index of the highest value; the lowest index of equals.
std::size_t best_of(std::span<const double> curve);
/// The index with the highest mean over several pictures' curves.
std::size_t best_of_all(const std::vector<std::span<const double>>& curves);

}  // namespace nephron::host
