#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include <host/stats/interval.hpp>

namespace nephron::host {

/// What is resampled: of `sample`, the numbers of the units that were drawn, a figure.
using Statistic = std::function<double(std::span<const std::uint32_t> drawn)>;

/// Resamples `units` things with replacement, `draws` times.
struct Bootstrap {
  std::size_t units = 0;
  std::size_t draws = 9999;
  std::uint64_t seed = 0;
};

struct BootstrapIntervals {
  Interval percentile;
  /// Bias-corrected and accelerated (Efron 1987, doi:10.1080/01621459.1987.10478410). NaN at both ends where all draws
  /// are alike.
  Interval bca;
};

/// As scipy.stats.bootstrap: quantiles between two draws are interpolated. Draws whose figure is no number are left
/// out; all NaN where nothing is left.
BootstrapIntervals bootstrap(const Bootstrap& how, const Statistic& statistic, double level = 0.95);
/// Of a mean.
BootstrapIntervals bootstrap_mean(std::span<const double> values, std::size_t draws, std::uint64_t seed,
                                  double level = 0.95);

/// `rows`: a run each, with a figure of each unit. In which share of the draws each run has the best mean; ties are
/// shared.
std::vector<double> share_first(const std::vector<std::vector<double>>& rows, bool higher_is_better,
                                const Bootstrap& how);

}  // namespace nephron::host
