#include <host/metrics/dice.hpp>

#include <cmath>
#include <string>

#include <nephron/error.hpp>

namespace nephron::host {

Overlap& Overlap::operator+=(const Overlap& other) noexcept {
  both += other.both;
  predicted += other.predicted;
  truth += other.truth;
  return *this;
}

double Overlap::dice() const noexcept {
  constexpr double eps = 1e-8;
  return (2.0 * static_cast<double>(both) + eps) / (static_cast<double>(predicted) + static_cast<double>(truth) + eps);
}

Overlap overlap_of(std::span<const std::uint8_t> predicted, std::span<const std::uint8_t> truth,
                   std::span<const std::uint8_t> ignored) {
  if (predicted.size() != truth.size() || (!ignored.empty() && ignored.size() != truth.size()))
    throw Error("masks of " + std::to_string(predicted.size()) + " and " + std::to_string(truth.size()) +
                " pixels cannot be compared");
  Overlap out;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const bool counts = ignored.empty() || ignored[i] == 0;
    const bool p = predicted[i] != 0 && counts, t = truth[i] != 0 && counts;
    out.both += p && t;
    out.predicted += p;
    out.truth += t;
  }
  return out;
}

Spread spread_of(std::span<const double> values) noexcept {
  if (values.empty()) return {};
  const auto n = static_cast<double>(values.size());
  Spread out;
  for (const double v : values) out.mean += v / n;
  double square = 0;
  for (const double v : values) square += (v - out.mean) * (v - out.mean) / n;
  out.deviation = std::sqrt(square);
  return out;
}

}  // namespace nephron::host
