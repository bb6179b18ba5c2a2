#include <host/predict/threshold_search.hpp>

#include <algorithm>
#include <string>

#include <nephron/error.hpp>

#include <host/metrics/dice.hpp>

namespace nephron::host {

namespace {

constexpr std::size_t count = searched_thresholds.size();

/// As the masks compare: in the precision of the map.
constexpr std::array<float, count> limits = [] {
  std::array<float, count> out{};
  for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<float>(searched_thresholds[i]);
  return out;
}();

}  // namespace

Image levels_of(const ImageView& map) {
  Image out(map.size(), 1);
  for (std::int64_t y = 0; y < map.height; ++y) {
    const float* const from = map.row<const float>(y);
    std::uint8_t* const to = out.view().row<std::uint8_t>(y);
    for (std::int64_t x = 0; x < map.width; ++x) {
      std::uint8_t level = 0;
      for (const float limit : limits) level = static_cast<std::uint8_t>(level + (from[x] > limit));
      to[x] = level;
    }
  }
  return out;
}

Image mask_of(const ImageView& levels, std::size_t index) {
  Image out(levels.size(), 1);
  for (std::int64_t y = 0; y < levels.height; ++y) {
    const std::uint8_t* const from = levels.row<const std::uint8_t>(y);
    std::uint8_t* const to = out.view().row<std::uint8_t>(y);
    for (std::int64_t x = 0; x < levels.width; ++x) to[x] = from[x] > index ? 255 : 0;
  }
  return out;
}

void CurveCounts::add(const ImageView& levels, const ImageView& truth, const ImageView& ignored) {
  if (levels.size() != truth.size() || (!ignored.empty() && ignored.size() != truth.size()))
    throw Error("a map and its mask have different sizes");
  for (std::int64_t y = 0; y < truth.height; ++y) {
    const std::uint8_t* const level = levels.row<const std::uint8_t>(y);
    const std::uint8_t* const is = truth.row<const std::uint8_t>(y);
    const std::uint8_t* const skip = ignored.empty() ? nullptr : ignored.row<const std::uint8_t>(y);
    for (std::int64_t x = 0; x < truth.width; ++x)
      if (skip == nullptr || skip[x] == 0) ++pixels_[level[x]][is[x] != 0];
  }
}

std::vector<double> CurveCounts::dice() const {
  std::int64_t positive = 0;
  for (const auto& p : pixels_) positive += p[1];
  std::vector<double> out(count);
  for (std::size_t i = 0; i < count; ++i) {
    Overlap overlap{0, 0, positive};
    for (std::size_t level = i + 1; level < pixels_.size(); ++level) {
      overlap.both += pixels_[level][1];
      overlap.predicted += pixels_[level][0] + pixels_[level][1];
    }
    out[i] = overlap.dice();
  }
  return out;
}

std::vector<double> dice_curve(const Image& levels, const Image& truth, const Image& ignored) {
  CurveCounts counts;
  counts.add(levels.view(), truth.view(), ignored.view());
  return counts.dice();
}

std::size_t best_of(std::span<const double> curve) {
  return static_cast<std::size_t>(std::max_element(curve.begin(), curve.end()) - curve.begin());
}

std::size_t best_of_all(const std::vector<std::span<const double>>& curves) {
  std::vector<double> sum(count);
  for (const auto& curve : curves)
    for (std::size_t i = 0; i < count && i < curve.size(); ++i) sum[i] += curve[i];
  return best_of(sum);
}

}  // namespace nephron::host
