#include <host/store/colours.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include <opencv2/core.hpp>

namespace nephron::host {

namespace {

using Three = std::array<double, 3>;

constexpr std::size_t most_pixels = 1 << 16, fewest = 100;
constexpr std::int64_t patch = 8;  // side of the squares that are looked at, px
constexpr double faintest = 0.15;  // density of what is stained, in some channel
constexpr double percentile = 99;  // of directions and amounts: what lies beyond is noise
constexpr double darkest = 0.25;   // a value of 0 counts as this: the mean of what is rounded to it

/// The pixels of evenly spaced blocks that are tissue, or are not, RGB.
std::vector<std::uint8_t> pixels_of(Size level, const Tissue& tissue, bool stained, std::size_t most,
                                    const ReadLevel& read) {
  std::vector<Region> blocks;
  const std::int64_t block = tissue.block, side = std::min(block, patch);
  for (std::int64_t y = 0; y < tissue.mask.size().height; ++y) {
    const auto* row = tissue.mask.view().row<const std::uint8_t>(y);
    for (std::int64_t x = 0; x < tissue.mask.size().width; ++x)
      if ((row[x] != 0) == stained)
        blocks.push_back(Region{x * block + (block - side) / 2, y * block + (block - side) / 2, side, side}.clipped(
            {0, 0, level.width, level.height}));
  }
  std::erase_if(blocks, [](const Region& r) { return r.empty(); });
  const std::size_t wanted = std::min(blocks.size(), most / static_cast<std::size_t>(side * side));
  std::vector<std::uint8_t> out;
  const Image small({side, side}, 3);
  for (std::size_t i = 0; i < wanted; ++i) {
    const Region& at = blocks[i * blocks.size() / wanted];
    const ImageView view = small.view().crop({0, 0, at.width, at.height});
    read(at, view);
    for (std::int64_t y = 0; y < at.height; ++y)
      out.insert(out.end(), view.row<std::uint8_t>(y), view.row<std::uint8_t>(y) + 3 * at.width);
  }
  return out;
}

/// As NumPy's: linear between the two nearest.
double quantile(std::vector<double> values, double percent) {
  const double at = percent / 100 * static_cast<double>(values.size() - 1);
  const auto low = static_cast<std::ptrdiff_t>(std::floor(at));
  std::nth_element(values.begin(), values.begin() + low, values.end());
  const double first = values[static_cast<std::size_t>(low)];
  if (low + 1 == static_cast<std::ptrdiff_t>(values.size())) return first;
  const double next = *std::min_element(values.begin() + low + 1, values.end());
  return first + (at - static_cast<double>(low)) * (next - first);
}

/// Optical densities of bytes.
const std::array<double, 256>& densities_of_bytes() {
  static const std::array<double, 256> table = [] {
    std::array<double, 256> out{};
    for (std::size_t v = 0; v < out.size(); ++v) out[v] = std::log(255 / std::max(static_cast<double>(v), darkest));
    return out;
  }();
  return table;
}

double dot(const Three& a, const Three& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

/// The two directions in which densities vary most, longest first, each to the side of the densities.
std::array<Three, 2> plane_of(const std::vector<Three>& densities) {
  Three mean{};
  for (const Three& d : densities)
    for (std::size_t c = 0; c < 3; ++c) mean[c] += d[c];
  for (double& m : mean) m /= static_cast<double>(densities.size());
  cv::Mat covariance = cv::Mat::zeros(3, 3, CV_64F);
  for (const Three& d : densities)
    for (int r = 0; r < 3; ++r)
      for (int c = 0; c < 3; ++c)
        covariance.at<double>(r, c) += (d[static_cast<std::size_t>(r)] - mean[static_cast<std::size_t>(r)]) *
                                       (d[static_cast<std::size_t>(c)] - mean[static_cast<std::size_t>(c)]);
  cv::Mat values, vectors;
  cv::eigen(covariance, values, vectors);  // rows, largest value first
  std::array<Three, 2> out{};
  for (std::size_t i = 0; i < 2; ++i) {
    const auto* row = vectors.ptr<double>(static_cast<int>(i));
    const double sign = row[0] + row[1] + row[2] < 0 ? -1 : 1;
    out[i] = {sign * row[0], sign * row[1], sign * row[2]};
  }
  return out;
}

/// Macenko et al. 2009: the outermost directions in the plane that holds most of the densities.
void find_stains(const std::vector<Three>& densities, SlideColours& to) {
  const std::array<Three, 2> plane = plane_of(densities);
  std::vector<double> angles;
  angles.reserve(densities.size());
  for (const Three& d : densities) angles.push_back(std::atan2(dot(d, plane[1]), dot(d, plane[0])));
  const std::array<double, 2> ends{quantile(angles, 100 - percentile), quantile(std::move(angles), percentile)};
  for (std::size_t i = 0; i < 2; ++i) {
    Three& stain = to.stains[i];
    for (std::size_t c = 0; c < 3; ++c)
      stain[c] = std::abs(std::cos(ends[i]) * plane[0][c] + std::sin(ends[i]) * plane[1][c]);
    const double length = std::sqrt(dot(stain, stain));
    for (double& v : stain) v /= length;
  }
  if (to.stains[0][0] <= to.stains[1][0]) std::swap(to.stains[0], to.stains[1]);
}

/// By least squares; 0 where the two are one direction.
void measure_strength(const std::vector<Three>& densities, SlideColours& to) {
  constexpr double one_direction = 1e-4;
  const Three &s = to.stains[0], &t = to.stains[1];
  const double between = dot(s, t), determinant = 1 - between * between;
  if (determinant < one_direction) return;
  std::array<std::vector<double>, 2> amounts;
  for (const Three& d : densities) {
    const double a = dot(d, s), b = dot(d, t);
    amounts[0].push_back((a - between * b) / determinant);
    amounts[1].push_back((b - between * a) / determinant);
  }
  for (std::size_t i = 0; i < 2; ++i) to.strength[i] = std::max(0.0, quantile(std::move(amounts[i]), percentile));
  if (to.strength[0] == 0 || to.strength[1] == 0) to.strength = {};
}

/// sRGB to CIELAB under D65, with the constants that OpenCV has. Its own conversion makes tables first, which takes
/// longer than all slides of a small store.
Three lab_of(const std::uint8_t* pixel) {
  static const std::array<double, 256> linear = [] {
    std::array<double, 256> out{};
    for (std::size_t v = 0; v < out.size(); ++v) {
      const double s = static_cast<double>(v) / 255;
      out[v] = s <= 0.04045 ? s / 12.92 : std::pow((s + 0.055) / 1.055, 2.4);
    }
    return out;
  }();
  const auto root = [](double t) { return t > 0.008856 ? std::cbrt(t) : 7.787 * t + 16.0 / 116; };
  const double r = linear[pixel[0]], g = linear[pixel[1]], b = linear[pixel[2]];
  const double x = root((0.412453 * r + 0.357580 * g + 0.180423 * b) / 0.950456);
  const double y = root(0.212671 * r + 0.715160 * g + 0.072169 * b);
  const double z = root((0.019334 * r + 0.119193 * g + 0.950227 * b) / 1.088754);
  return {116 * y - 16, 500 * (x - y), 200 * (y - z)};
}

void measure_lab(const std::vector<std::uint8_t>& pixels, SlideColours& to) {
  std::vector<Three> all;
  for (std::size_t i = 0; i < pixels.size(); i += 3) all.push_back(lab_of(pixels.data() + i));
  const auto n = static_cast<double>(all.size());
  for (std::size_t c = 0; c < 3; ++c) {
    double sum = 0, squares = 0;
    for (const Three& lab : all) sum += lab[c];
    to.lab_mean[c] = sum / n;
    for (const Three& lab : all) squares += (lab[c] - sum / n) * (lab[c] - sum / n);
    to.lab_deviation[c] = std::sqrt(squares / n);
  }
}

/// The middle of what is not tissue.
void measure_background(const std::vector<std::uint8_t>& glass, SlideColours& to) {
  if (glass.size() / 3 < fewest) return;
  for (std::size_t c = 0; c < 3; ++c) {
    std::vector<double> values;
    for (std::size_t i = c; i < glass.size(); i += 3) values.push_back(glass[i]);
    to.background[c] = quantile(std::move(values), 50);
  }
}

}  // namespace

std::optional<SlideColours> measure_colours(Size level, const Tissue& tissue, const ReadLevel& read) {
  std::vector<std::uint8_t> stained;
  std::vector<Three> densities;
  const auto& table = densities_of_bytes();
  const std::vector<std::uint8_t> all = pixels_of(level, tissue, true, most_pixels, read);
  for (std::size_t i = 0; i < all.size(); i += 3) {
    const Three d{table[all[i]], table[all[i + 1]], table[all[i + 2]]};
    if (std::max({d[0], d[1], d[2]}) <= faintest) continue;
    densities.push_back(d);
    stained.insert(stained.end(), all.begin() + static_cast<std::ptrdiff_t>(i),
                   all.begin() + static_cast<std::ptrdiff_t>(i + 3));
  }
  if (densities.size() < fewest) return std::nullopt;
  SlideColours out;
  find_stains(densities, out);
  measure_strength(densities, out);
  measure_lab(stained, out);
  measure_background(pixels_of(level, tissue, false, most_pixels / 4, read), out);
  return out;
}

}  // namespace nephron::host
