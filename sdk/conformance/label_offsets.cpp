#include <conformance/label_offsets.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <vector>

#include <nephron/value.hpp>

#include <conformance/bench.hpp>
#include <conformance/label_probes.hpp>

namespace nephron::conformance {

namespace {

// Along one axis a picture rises and falls by waves of 64 pixels, some 6 levels a pixel, each channel elsewhere; labels
// tell the place, of 256, by a code of which neighbours differ in one bit, so that bits may be moved one by one.
constexpr int half_wave = 32, places = 256, near_turn = 4;
constexpr double low = 25, levels = 204, slope = levels / half_wave;

enum class Axis { x, y };

int phase(int place, int channel) { return (place + 21 * channel) % (2 * half_wave); }
double wave(int place, int channel) { return low + levels * std::abs(phase(place, channel) - half_wave) / half_wave; }
/// Which way it goes; 0 near its turns, and near the places that follow on the last.
int direction(int place, int channel) {
  const int within = phase(place, channel) % half_wave;
  if (within < near_turn || within > half_wave - near_turn) return 0;
  if (place < near_turn || place > places - near_turn) return 0;
  return phase(place, channel) < half_wave ? -1 : 1;
}

int code_of(int place) { return place ^ (place >> 1); }
int place_of(int code) {
  for (const int by : {4, 2, 1}) code ^= code >> by;
  return code;
}

struct Sample {
  Image image{probe_size, 3}, labels{probe_size, 1}, map{probe_size, 1};
};

Sample sample_of(Axis axis) {
  Sample out;
  for (std::int64_t y = 0; y < probe_size.height; ++y)
    for (std::int64_t x = 0; x < probe_size.width; ++x) {
      const int place = static_cast<int>(axis == Axis::x ? x : y) % places;
      for (int c = 0; c < 3; ++c)
        out.image.view().row<std::uint8_t>(y)[3 * x + c] = static_cast<std::uint8_t>(wave(place, c));
      out.map.view().row<std::uint8_t>(y)[x] = static_cast<std::uint8_t>(wave(place, 0));
      out.labels.view().row<std::uint8_t>(y)[x] = static_cast<std::uint8_t>(code_of(place));
    }
  return out;
}

/// How far the waves lie beside the places that labels tell, in pixels of the source; nothing where they are no waves
/// any more. Brighter or weaker ones lie where they lay: what rises and what falls is off by the opposite.
std::optional<double> offset(const ImageView& waves, int channel, const ImageView& labels, int wave_of) {
  double n = 0, sum = 0, sum_wave = 0, square = 0, square_wave = 0, product = 0, rising = 0, rising_sum = 0,
         rising_wave = 0;
  for (std::int64_t y = 0; y < labels.height; ++y)
    for (std::int64_t x = 0; x < labels.width; ++x) {
      const int place = place_of(labels.row<const std::uint8_t>(y)[x]);
      const int way = direction(place, wave_of);
      if (way == 0) continue;
      const double value = waves.row<const std::uint8_t>(y)[x * waves.channels + channel], there = wave(place, wave_of);
      ++n, sum += value, sum_wave += there, square += value * value, square_wave += there * there;
      product += value * there, rising += way, rising_sum += way * value, rising_wave += way * there;
    }
  if (n < 2000) return std::nullopt;
  const double variance = square / n - sum / n * (sum / n), of_wave = square_wave / n - sum_wave / n * (sum_wave / n);
  const double covariance = product / n - sum / n * (sum_wave / n);
  if (!(variance > 1) || !(of_wave > 1)) return std::nullopt;
  const double gain = covariance / of_wave, explained = gain * covariance / variance;
  if (explained < 0.9 || std::abs(gain) < 0.1) return std::nullopt;
  const double base = sum / n - gain * sum_wave / n;
  return (rising_sum - base * rising - gain * rising_wave) / n / (gain * slope);
}

/// Places that labels pass from one pixel to the next.
double scale_of(const ImageView& labels) {
  constexpr std::int64_t far = 8;
  const auto passed = [&](std::int64_t by_x, std::int64_t by_y) {
    std::vector<int> steps;
    for (std::int64_t y = 0; y + by_y < labels.height; y += 3)
      for (std::int64_t x = 0; x + by_x < labels.width; x += 3) {
        const auto at = [&](std::int64_t i, std::int64_t j) { return place_of(labels.row<const std::uint8_t>(j)[i]); };
        const int step = (at(x + by_x, y + by_y) - at(x, y) + 3 * places / 2) % places - places / 2;
        steps.push_back(step);
      }
    std::nth_element(steps.begin(), steps.begin() + static_cast<std::ptrdiff_t>(steps.size() / 2), steps.end());
    return static_cast<double>(steps[steps.size() / 2]) / far;
  };
  return std::max(1.0, std::hypot(passed(far, 0), passed(0, far)));
}

/// Along x and y.
using Offsets = std::array<double, 2>;

void require_small(const std::optional<Offsets>& off, const char* what) {
  constexpr double most = 0.75;  // nearest neighbours are half a pixel off at most
  if (!off || std::hypot((*off)[0], (*off)[1]) < most) return;
  const auto text = [](double v) { return Value(std::round(10 * v) / 10).str(); };
  throw Failed(std::string("pixels() moves ") + what + " beside the picture: they lie about (" + text((*off)[0]) +
               ", " + text((*off)[1]) + ") pixels from where their pixels went");
}

}  // namespace

void require_labels_on_their_pixels(const std::function<void(const SampleView&)>& change) {
  std::optional<Offsets> labels_off(std::in_place), map_off(std::in_place);
  bool labels_moved = false;
  for (const Axis axis : {Axis::x, Axis::y}) {
    const Sample before = sample_of(axis), after = sample_of(axis);
    const std::array soft{after.map.view()};
    const std::function<void(const SampleView&)> copy = change;  // what it keeps begins anew
    copy({after.image.view(), after.labels.view(), soft});
    const auto i = static_cast<std::size_t>(axis);
    labels_moved = labels_moved || !same_pixels(before.labels.view(), after.labels.view());
    const double scale = scale_of(after.labels.view());
    std::array<double, 3> channels{};
    for (int c = 0; c < 3 && labels_off; ++c) {
      const auto one = offset(after.image.view(), c, after.labels.view(), c);
      if (one) channels.at(static_cast<std::size_t>(c)) = *one / scale;
      else labels_off.reset();
    }
    std::sort(channels.begin(), channels.end());
    if (labels_off) labels_off->at(i) = channels[1];
    const auto of_map = offset(after.map.view(), 0, after.labels.view(), 0);
    if (of_map && map_off) map_off->at(i) = *of_map / scale;
    else map_off.reset();
  }
  if (!labels_moved) return;
  require_small(labels_off, "labels");
  require_small(map_off, "probability maps (SampleView::soft)");
}

}  // namespace nephron::conformance
