#include <host/stats/sign_flip.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <nephron/error.hpp>
#include <nephron/rng.hpp>

#include <host/stats/moments.hpp>

namespace nephron::host {

namespace {

constexpr double epsilon = std::numeric_limits<double>::epsilon(), equal_means = 100 * epsilon;

/// Sums of all subsets of `values`, ordered: each value merges what is there with what is there moved by it.
std::vector<double> subset_sums(std::span<const double> values) {
  std::vector<double> sums{0.0}, merged;
  sums.reserve(std::size_t{1} << values.size());
  for (const double v : values) {
    const std::size_t n = sums.size();
    merged.resize(2 * n);
    std::size_t a = 0, b = 0;
    while (a < n && b < n) {  // without a branch, which would be guessed wrong half of the time
      const double stays = sums[a], moves = sums[b] + v;
      const bool first = stays <= moves;
      merged[a + b] = first ? stays : moves;
      a += first ? 1 : 0, b += first ? 0 : 1;
    }
    for (; a < n; ++a) merged[a + b] = sums[a];
    for (; b < n; ++b) merged[a + b] = sums[b] + v;
    std::swap(sums, merged);
  }
  return sums;
}

/// How many sums of one of each are at most `most`. Both are ordered.
std::int64_t pairs_up_to(const std::vector<double>& a, const std::vector<double>& b, double most) {
  std::int64_t count = 0;
  std::size_t j = b.size();
  for (const double x : a) {
    while (j > 0 && x + b[j - 1] > most) --j;
    count += static_cast<std::int64_t>(j);
  }
  return count;
}

// Flipping the differences F changes their sum by -2 * (sum of F). So a choice gives at least what was seen where the
// sum of F is at most 0, and of differences from another mean, where the mean of F is at most that. This makes p and
// interval one count.

/// How many ways to choose some of the differences, not none, have a sum of at most 0, or so little more that it is a
/// tie.
std::int64_t sums_up_to(std::span<const double> moved, double tie) {
  const std::size_t half = moved.size() / 2;
  return pairs_up_to(subset_sums(moved.subspan(0, half)), subset_sums(moved.subspan(half)), tie) - 1;
}

/// As scipy's permutation_test, which takes means for equal that differ by 100 epsilons of the one that was seen; and
/// sums that rounding keeps from being equal.
double tie_of(std::span<const double> moved) {
  double sum = 0, size = 0;
  for (const double d : moved) sum += d, size += std::abs(d);
  const double rounding = epsilon * static_cast<double>(moved.size()) * size;
  return std::max(rounding, equal_means * std::abs(sum) / 2);  // a mean changes by twice the sum of what is flipped
}

}  // namespace

SignFlipTest::SignFlipTest(std::span<const double> differences, std::uint64_t seed, std::size_t draws)
    : differences_(differences.begin(), differences.end()), mean_(0) {
  if (differences_.empty()) throw Error("a sign-flip test of no differences");
  for (const double d : differences_)
    if (!std::isfinite(d)) throw Error("a sign-flip test of a difference that is no number");
  mean_ = mean_of(differences_);
  if (differences_.size() <= most_exact) return;
  Rng rng(seed, "sign_flip");
  draws_ = draws;
  flipped_.reserve(draws);
  for (std::size_t i = 0; i < draws; ++i) {
    double sum = 0;
    std::size_t count = 0;
    std::uint64_t signs = 0;
    for (std::size_t j = 0; j < differences_.size(); ++j) {
      if (j % 64 == 0) signs = rng.bits64();
      if ((signs >> j % 64 & 1) != 0) sum += differences_[j], ++count;
    }
    if (count > 0) flipped_.push_back(sum / static_cast<double>(count));
    else ++drawn_nothing_;
  }
  std::sort(flipped_.begin(), flipped_.end());
}

double SignFlipTest::p(double shift) const {
  if (exact()) {
    // The means of all choices lie evenly about 0, so the side that was seen is the smaller one.
    const double ways = std::ldexp(1.0, static_cast<int>(differences_.size()));
    std::vector<double> moved = moved_by(shift);
    if (mean_ < shift)
      for (double& d : moved) d = -d;
    return std::min(1.0, 2 * (1.0 + static_cast<double>(sums_up_to(moved, tie_of(moved)))) / ways);
  }
  const double tie = equal_means * std::abs(mean_ - shift);
  const auto up_to = std::upper_bound(flipped_.begin(), flipped_.end(), shift + tie) - flipped_.begin();
  const auto from = flipped_.end() - std::lower_bound(flipped_.begin(), flipped_.end(), shift - tie);
  const double none = 1.0 + static_cast<double>(drawn_nothing_), ways = 1.0 + static_cast<double>(draws_);
  return std::min(1.0, 2 * (none + static_cast<double>(std::min(up_to, from))) / ways);
}

std::vector<double> SignFlipTest::moved_by(double shift) const {
  std::vector<double> out(differences_);
  for (double& d : out) d -= shift;
  return out;
}

double SignFlipTest::ordered_mean(std::int64_t k) const {
  if (!exact()) return flipped_[static_cast<std::size_t>(k - 1)];
  const auto [least, most] = std::minmax_element(differences_.begin(), differences_.end());
  const auto reached = [&](double mean) { return sums_up_to(moved_by(mean), 0) >= k; };
  double below = *least, above = *most;
  if (reached(below)) return below;
  // Halved until no number lies between: the mean of a subset is found without naming the subset.
  for (double middle = std::midpoint(below, above); middle > below && middle < above;
       middle = std::midpoint(below, above))
    (reached(middle) ? above : below) = middle;
  return above;
}

Interval SignFlipTest::interval(double level) const {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const double half = (1 - level) / 2;
  const double ways =
      exact() ? std::ldexp(1.0, static_cast<int>(differences_.size())) : 1.0 + static_cast<double>(draws_);
  const std::int64_t means =
      exact() ? (std::int64_t{1} << differences_.size()) - 1 : static_cast<std::int64_t>(flipped_.size());
  const std::int64_t k = static_cast<std::int64_t>(std::floor(half * ways)) - static_cast<std::int64_t>(drawn_nothing_);
  if (k < 1) return {-infinity, infinity};
  return {ordered_mean(k), ordered_mean(means + 1 - k)};
}

double least_sign_flip_p(std::size_t differences) {
  return std::min(1.0, std::ldexp(2.0, -static_cast<int>(std::min<std::size_t>(differences, 1000))));
}

}  // namespace nephron::host
