#include <host/stats/variance.hpp>

#include <algorithm>
#include <cmath>

#include <nephron/error.hpp>

#include <host/stats/distributions.hpp>
#include <host/stats/moments.hpp>

namespace nephron::host {

CrossedVariance crossed_variance(const std::vector<std::vector<double>>& table) {
  if (table.size() < 2 || table[0].size() < 2) throw Error("variances of donors and seeds need two of both");
  const std::size_t seeds = table.size(), donors = table[0].size();
  std::vector<double> of_seed, of_donor(donors, 0.0);
  for (const auto& row : table) {
    of_seed.push_back(mean_of(row));
    for (std::size_t i = 0; i < donors; ++i) of_donor[i] += row[i] / static_cast<double>(seeds);
  }
  const auto k = static_cast<double>(seeds), n = static_cast<double>(donors);
  const double mean = mean_of(of_seed);
  double rest = 0;
  for (std::size_t s = 0; s < seeds; ++s)
    for (std::size_t i = 0; i < donors; ++i) {
      const double left = table[s][i] - of_seed[s] - of_donor[i] + mean;
      rest += left * left;
    }
  CrossedVariance out;
  out.donors = {k * variance_of(of_donor), n - 1};
  out.seeds = {n * variance_of(of_seed), k - 1};
  out.rest = {rest / ((n - 1) * (k - 1)), (n - 1) * (k - 1)};
  out.of_donors = std::max(0.0, (out.donors.value - out.rest.value) / k);
  out.of_seeds = std::max(0.0, (out.seeds.value - out.rest.value) / n);
  out.of_rest = out.rest.value;
  return out;
}

NestedVariance nested_variance(const std::vector<std::vector<double>>& groups) {
  if (groups.size() < 2) throw Error("variances of donors and slides need two donors");
  double all = 0, sum = 0, squares = 0, within = 0;
  for (const auto& group : groups) {
    const auto n = static_cast<double>(group.size());
    all += n, squares += n * n, sum += n * mean_of(group), within += variance_of(group) * (n - 1);
  }
  const double mean = sum / all, donors = static_cast<double>(groups.size());
  double between = 0;
  for (const auto& group : groups)
    between += static_cast<double>(group.size()) * (mean_of(group) - mean) * (mean_of(group) - mean);
  NestedVariance out;
  out.known = all > donors;
  out.donors = {between / (donors - 1), donors - 1};
  out.slides = {out.known ? within / (all - donors) : 0, all - donors};
  out.slides_a_donor = (all - squares / all) / (donors - 1);
  out.of_slides = out.slides.value;
  out.of_donors = std::max(0.0, (out.donors.value - out.slides.value) / out.slides_a_donor);
  return out;
}

SummedVariance satterthwaite(std::span<const WeighedSquare> squares) {
  double sum = 0, below = 0;
  for (const auto& [factor, square] : squares) {
    const double part = factor * square.value;
    sum += part;
    if (part != 0) below += part * part / square.freedom;
  }
  return {std::max(0.0, sum), below > 0 ? std::max(1.0, sum * sum / below) : 1};
}

MeanWithVariance t_interval(double mean, const SummedVariance& variance, double level) {
  const double error = std::sqrt(variance.value);
  const double reach = error > 0 ? t_quantile((1 + level) / 2, variance.freedom) * error : 0;
  const double p = error > 0 ? t_two_sided(mean / error, variance.freedom) : mean == 0 ? 1 : 0;
  return {{mean - reach, mean + reach}, p};
}

}  // namespace nephron::host
