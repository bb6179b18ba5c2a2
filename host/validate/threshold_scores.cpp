#include <host/validate/threshold_scores.hpp>

#include <set>
#include <span>
#include <utility>

#include <host/predict/threshold_search.hpp>

namespace nephron::host {

namespace {

std::optional<CrossFitted> cross_fitted(const std::vector<SlideCurve>& curves) {
  std::set<int> folds;
  for (const SlideCurve& curve : curves) folds.insert(curve.fold);
  if (folds.size() < 2) return std::nullopt;
  CrossFitted out;
  for (const int fold : folds) {
    std::vector<std::span<const double>> others;
    for (const SlideCurve& curve : curves)
      if (curve.fold != fold) others.emplace_back(curve.dice);
    out.thresholds[fold] = best_of_all(others);
  }
  std::vector<double> dice;
  for (const SlideCurve& curve : curves) dice.push_back(curve.dice[out.thresholds.at(curve.fold)]);
  out.dice = spread_of(dice);
  return out;
}

}  // namespace

ThresholdScores threshold_scores(std::vector<SlideCurve> curves) {
  ThresholdScores out;
  out.mean_curve.resize(searched_thresholds.size());
  out.crossed = cross_fitted(curves);
  std::vector<std::span<const double>> views;
  for (const SlideCurve& curve : curves) views.emplace_back(curve.dice);
  out.best = curves.empty() ? half : best_of_all(views);
  std::vector<double> best, own, at_half;
  for (const auto& [fold, curve] : curves) {
    best.push_back(curve[out.best]), own.push_back(curve[best_of(curve)]), at_half.push_back(curve[half]);
    for (std::size_t i = 0; i < curve.size(); ++i) out.mean_curve[i] += curve[i] / static_cast<double>(curves.size());
  }
  out.at_best = spread_of(best), out.own_best = spread_of(own), out.at_half = spread_of(at_half);
  for (SlideCurve& curve : curves) out.curves.push_back(std::move(curve.dice));
  return out;
}

}  // namespace nephron::host
