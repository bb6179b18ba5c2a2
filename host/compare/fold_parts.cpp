#include <host/compare/fold_parts.hpp>

#include <algorithm>
#include <utility>

#include <host/compare/sides.hpp>

namespace nephron::host {

namespace {

bool measured_alike(const MeasuringFacts& a, const MeasuringFacts& b) {
  return a.checkpoint == b.checkpoint && a.precision == b.precision && a.tta == b.tta && a.classes == b.classes &&
         a.exclusive == b.exclusive && a.thresholds == b.thresholds && a.threshold_from == b.threshold_from &&
         a.objects == b.objects && a.metrics == b.metrics;
}

bool same_values(const MeasuredRun& a, const MeasuredRun& b) {
  return std::equal(a.values.begin(), a.values.end(), b.values.begin(), b.values.end(),
                    [](const auto& x, const auto& y) { return x.first == y.first; });
}

bool has_none_of(const MeasuredRun& run, const MeasuredRun& part) {
  const auto& folds = run.facts.folds;
  return std::none_of(part.facts.folds.begin(), part.facts.folds.end(),
                      [&](int k) { return std::find(folds.begin(), folds.end(), k) != folds.end(); }) &&
         std::none_of(part.slides.begin(), part.slides.end(),
                      [&](const auto& s) { return run.slides.contains(s.first); });
}

void join(MeasuredRun& run, MeasuredRun part) {
  run.more.push_back({part.folder, part.validation, part.facts.complete, part.facts.weights_since});
  run.config_edited = run.config_edited || part.config_edited;
  run.facts.folds.insert(run.facts.folds.end(), part.facts.folds.begin(), part.facts.folds.end());
  std::sort(run.facts.folds.begin(), run.facts.folds.end());
  run.facts.failures.merge(part.facts.failures);
  run.slides.merge(part.slides);
  run.trained.merge(part.trained);
}

}  // namespace

std::vector<MeasuredRun> join_folds(std::vector<MeasuredRun> runs) {
  std::vector<MeasuredRun> out;
  std::vector<Recipe> recipes;
  for (MeasuredRun& run : runs) {
    Recipe recipe = recipe_of(run);
    std::size_t at = 0;
    while (at < out.size() && !(recipes[at] == recipe && measured_alike(out[at].facts, run.facts) &&
                                same_values(out[at], run) && has_none_of(out[at], run)))
      ++at;
    if (at < out.size()) {
      join(out[at], std::move(run));
      continue;
    }
    recipes.push_back(std::move(recipe));
    out.push_back(std::move(run));
  }
  return out;
}

}  // namespace nephron::host
