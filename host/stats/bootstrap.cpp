#include <host/stats/bootstrap.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include <nephron/rng.hpp>

#include <host/stats/distributions.hpp>
#include <host/stats/draw_units.hpp>
#include <host/stats/moments.hpp>

namespace nephron::host {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// The quantile of `values`, which are put in another order; between two of them it is interpolated.
double quantile(std::vector<double>& values, double share) {
  if (values.empty() || std::isnan(share)) return nan;
  const double place = std::clamp(share, 0.0, 1.0) * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(below);
  std::nth_element(values.begin(), at, values.end());
  if (below + 1 == values.size()) return *at;
  const double above = *std::min_element(at + 1, values.end());
  return *at + (place - static_cast<double>(below)) * (above - *at);
}

/// Where `observed` stands among the draws: those that equal it count half.
double standing(const std::vector<double>& draws, double observed) {
  double below = 0, equal = 0;
  for (const double d : draws) {
    if (d < observed) ++below;
    else if (d == observed) ++equal;
  }
  return (below + equal / 2) / static_cast<double>(draws.size());
}

/// How the figure's spread changes with it, of the figures without one unit each.
double acceleration(std::span<const double> without) {
  const double mean = mean_of(without);
  double cubes = 0, squares = 0;
  for (const double w : without) {
    const double u = mean - w;
    cubes += u * u * u, squares += u * u;
  }
  return cubes / (6 * std::pow(squares, 1.5));
}

BootstrapIntervals intervals_of(std::vector<double> draws, double observed, std::span<const double> without,
                                double level) {
  std::erase_if(draws, [](double d) { return !std::isfinite(d); });
  BootstrapIntervals out{{nan, nan}, {nan, nan}};
  if (draws.empty()) return out;
  const double tail = (1 - level) / 2;
  out.percentile = {quantile(draws, tail), quantile(draws, 1 - tail)};
  const double bias = normal_quantile(standing(draws, observed)), a = acceleration(without);
  const auto corrected = [&](double share) {
    const double z = bias + normal_quantile(share);
    return normal_cdf(bias + z / (1 - a * z));
  };
  if (std::isfinite(bias) && std::isfinite(a))
    out.bca = {quantile(draws, corrected(tail)), quantile(draws, corrected(1 - tail))};
  return out;
}

}  // namespace

BootstrapIntervals bootstrap(const Bootstrap& how, const Statistic& statistic, double level) {
  if (how.units == 0) return {{nan, nan}, {nan, nan}};
  Rng rng(how.seed, "bootstrap");
  std::vector<std::uint32_t> drawn(how.units);
  std::vector<double> draws(how.draws), without;
  for (double& d : draws) {
    draw_units(rng, static_cast<std::uint32_t>(how.units), drawn);
    d = statistic(drawn);
  }
  for (std::uint32_t i = 0; i < how.units; ++i) drawn[i] = i;
  const double observed = statistic(drawn);
  std::vector<std::uint32_t> others(drawn.begin() + 1, drawn.end());
  for (std::size_t i = 0; i < how.units && how.units > 1; ++i) {
    without.push_back(statistic(others));
    if (i + 1 < how.units) others[i] = static_cast<std::uint32_t>(i);
  }
  return intervals_of(std::move(draws), observed, without, level);
}

BootstrapIntervals bootstrap_mean(std::span<const double> values, std::size_t draws, std::uint64_t seed, double level) {
  return bootstrap(
      {values.size(), draws, seed},
      [&](std::span<const std::uint32_t> drawn) {
        double sum = 0;
        for (const std::uint32_t i : drawn) sum += values[i];
        return sum / static_cast<double>(drawn.size());
      },
      level);
}

std::vector<double> share_first(const std::vector<std::vector<double>>& rows, bool higher_is_better,
                                const Bootstrap& how) {
  std::vector<double> out(rows.size(), 0.0), sums(rows.size());
  if (how.units == 0) return out;
  Rng rng(how.seed, "share_first");
  std::vector<std::uint32_t> drawn(how.units);
  for (std::size_t draw = 0; draw < how.draws; ++draw) {
    draw_units(rng, static_cast<std::uint32_t>(how.units), drawn);
    for (std::size_t r = 0; r < rows.size(); ++r) {
      sums[r] = 0;
      for (const std::uint32_t i : drawn) sums[r] += rows[r][i];
      if (!higher_is_better) sums[r] = -sums[r];
    }
    const double best = *std::max_element(sums.begin(), sums.end());
    const auto firsts = static_cast<double>(std::count(sums.begin(), sums.end(), best));
    for (std::size_t r = 0; r < rows.size(); ++r)
      if (sums[r] == best) out[r] += 1 / firsts / static_cast<double>(how.draws);
  }
  return out;
}

}  // namespace nephron::host
