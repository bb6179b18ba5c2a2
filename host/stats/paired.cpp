#include <host/stats/paired.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>

#include <host/stats/distributions.hpp>
#include <host/stats/moments.hpp>

namespace nephron::host {

PairedT paired_t(std::span<const double> differences) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  if (differences.size() < 2) return {nan, nan, nan};
  const auto n = static_cast<double>(differences.size());
  const double dz = mean_of(differences) / deviation_of(differences);  // 0 / 0: nothing can be said
  const double t = dz * std::sqrt(n);
  return {t, t_two_sided(t, n - 1), dz};
}

SignedRank signed_rank(std::span<const double> differences) {
  std::vector<double> sizes;
  for (const double d : differences)
    if (d != 0) sizes.push_back(d);
  SignedRank out;
  out.ranked = sizes.size();
  if (sizes.empty()) return out;
  std::sort(sizes.begin(), sizes.end(), [](double a, double b) { return std::abs(a) < std::abs(b); });
  // Ranks times two: whole numbers, shared ones too.
  std::vector<std::size_t> ranks;
  std::size_t above = 0, all = 0;
  for (std::size_t i = 0; i < sizes.size();) {
    std::size_t end = i + 1;
    while (end < sizes.size() && std::abs(sizes[end]) == std::abs(sizes[i])) ++end;
    for (std::size_t j = i; j < end; ++j) {
      ranks.push_back(i + 1 + end);
      all += ranks.back();
      if (sizes[j] > 0) above += ranks.back();
    }
    i = end;
  }
  // The share of the sign choices by the sum of the ranks above 0.
  std::vector<double> share(all + 1, 0.0);
  share[0] = 1;
  std::size_t reached = 0;
  for (const std::size_t rank : ranks) {
    reached += rank;
    for (std::size_t sum = reached + 1; sum-- > 0;)
      share[sum] = (share[sum] + (sum >= rank ? share[sum - rank] : 0)) / 2;
  }
  const std::size_t least = std::min(above, all - above);
  const double tail = std::accumulate(share.begin(), share.begin() + static_cast<std::ptrdiff_t>(least) + 1, 0.0);
  out.statistic = static_cast<double>(least) / 2;
  out.p = std::min(1.0, 2 * tail);
  return out;
}

std::vector<double> holm(std::span<const double> p) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
  std::vector<double> out(p.size());
  double least = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    least = std::max(least, std::min(1.0, static_cast<double>(p.size() - i) * p[order[i]]));
    out[order[i]] = least;
  }
  return out;
}

}  // namespace nephron::host
