#include <host/train/drift.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>

#include <nephron/error.hpp>

#include <host/config/changes.hpp>
#include <host/config/load.hpp>
#include <host/config/show.hpp>
#include <host/runs/run_record.hpp>
#include <host/stats/moments.hpp>
#include <host/util/counted.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

std::optional<double> best_dice(const FoldFolder& fold) {
  if (!fold.finished()) return std::nullopt;
  for (const auto& [name, value] : read_done(fold.done()))
    if (name == "best_dice") return value;
  return std::nullopt;
}

bool differ_in_seed_alone(const Value& a, const Value& b) {
  const auto& harmless = keys_without_effect_on_results();
  bool seed = false;
  for (const Difference& d : differences(a, b)) {
    if (d.key == "seed") seed = true;
    else if (std::find(harmless.begin(), harmless.end(), d.key) == harmless.end()) return false;
  }
  return seed;
}

}  // namespace

double Drift::deviation() const { return seeds.size() < 2 ? 0 : deviation_of(seeds); }

std::string Drift::text() const {
  char text[200];
  std::snprintf(text, sizeof text, "the best Dice is %.4f, and was %.4f: a drift of %.4f", now, then,
                std::abs(now - then));
  if (seeds.size() < 2)
    return std::string(text) +
           "; no other finished run differs in the seed alone, to set it beside (train with --set seed=N)";
  std::string out = text;
  std::snprintf(text, sizeof text, "; between %s the deviation is %.4f", counted(seeds.size(), "seed").c_str(),
                deviation());
  return out + text;
}

std::optional<Drift> drift_of(const RunFolder& run, int fold, double now) {
  const std::optional<double> then = best_dice(run.fold(fold));
  if (!then) return std::nullopt;
  Drift out{*then, now, {*then}};
  const Value own = parse_toml(run.experiment());
  std::error_code failed;
  for (const fs::directory_entry& entry : fs::directory_iterator(run.folder().parent_path(), failed)) try {
      std::error_code no;
      if (!fs::exists(entry.path() / "experiment.resolved.toml", no)) continue;
      const RunFolder other = RunFolder::open(entry.path());
      const std::optional<double> dice = best_dice(other.fold(fold));
      if (dice && differ_in_seed_alone(own, parse_toml(other.experiment()))) out.seeds.push_back(*dice);
    } catch (const Error&) {  // a damaged run is no witness
    }
  return out;
}

}  // namespace nephron::host
