#include <host/plot/run_curves.hpp>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <optional>
#include <set>

#include <nephron/error.hpp>

#include <host/config/changes.hpp>
#include <host/config/load.hpp>
#include <host/config/show.hpp>
#include <host/metrics/dice.hpp>
#include <host/runs/run.hpp>
#include <host/util/counted.hpp>
#include <host/util/usage_error.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t most_points = 400;   // of a line
constexpr const char* chosen_by = "dice";  // what the best weights are chosen by (host/train/trainer.cpp)
constexpr std::size_t most_told = 3;       // keys that tell experiments apart, in a legend

/// One run of those that are plotted.
struct PlottedRun {
  fs::path folder;
  std::string name;  ///< of its experiment
  Value experiment;
  std::vector<int> folds;
  std::vector<Points> curves;  ///< a fold that has the metric
};

/// Runs of one experiment.
struct PlottedGroup {
  std::vector<const PlottedRun*> runs;
  std::string label;
};

std::string text_of(const Value& table, const char* key) {
  const Value* const value = table.find(key);
  return value != nullptr && value->is(Value::Type::string) ? value->string() : "";
}

/// Keys in which two experiments differ, but the seed, the name, and what changes no result.
std::vector<std::string> differing_keys(const Value& a, const Value& b) {
  std::vector<std::string> out;
  for (const Difference& d : differences(a, b))
    if (is_of_recipe(d.key)) out.push_back(d.key);
  return out;
}

PlottedRun read_run(const fs::path& named, const std::string& metric, std::set<std::string>& known) {
  const RunFolder run = RunFolder::open(named);
  PlottedRun out{run.folder(), {}, parse_toml(run.experiment()), {}, {}};
  out.name = text_of(out.experiment, "name");
  if (out.name.empty()) out.name = run.folder().filename().string();
  const std::vector<int> folds = run.opened_fold() >= 0 ? std::vector<int>{run.opened_fold()} : run.folds();
  for (const int k : folds) {
    const fs::path file = run.fold(k).metrics();
    if (!fs::exists(file)) continue;
    const MetricLines lines = read_metrics(file);
    for (const auto& [step, values] : lines)
      for (const auto& [name, value] : values) known.insert(name);
    Points points = thinned(points_of(lines, metric), most_points);
    if (points.empty()) continue;
    out.folds.push_back(k);
    out.curves.push_back(std::move(points));
  }
  return out;
}

/// What of the keys that tell the groups apart this one has.
std::string settings_text(const PlottedRun& run, const std::set<std::string>& keys) {
  std::string out;
  std::size_t told = 0;
  std::map<std::string, std::string> values;
  for (const Leaf& leaf : leaves(run.experiment)) values[leaf.key] = leaf.value->str();
  for (const std::string& key : keys) {
    if (++told > most_told) return out + ", ...";
    const auto value = values.find(key);
    out += (out.empty() ? "" : ", ") + key + (value == values.end() ? " absent" : " = " + value->second);
  }
  return out;
}

std::vector<PlottedGroup> grouped(const std::vector<PlottedRun>& runs) {
  std::vector<PlottedGroup> out;
  std::map<std::string, std::set<std::string>> apart;  // by name: the keys that tell its groups apart
  for (const PlottedRun& run : runs) {
    PlottedGroup* mine = nullptr;
    for (PlottedGroup& group : out) {
      const PlottedRun& first = *group.runs.front();
      if (first.name != run.name) continue;
      const std::vector<std::string> keys = differing_keys(first.experiment, run.experiment);
      if (keys.empty()) mine = &group;
      else apart[run.name].insert(keys.begin(), keys.end());
    }
    if (mine != nullptr) mine->runs.push_back(&run);
    else out.push_back({{&run}, {}});
  }
  for (PlottedGroup& group : out) {
    const PlottedRun& first = *group.runs.front();
    const std::string settings = settings_text(first, apart[first.name]);
    group.label = first.name + (settings.empty() ? "" : " (" + settings + ")");
  }
  return out;
}

/// "mean and range of 6 curves of 2 runs".
std::string joined_text(const PlottedGroup& group, std::size_t curves) {
  if (group.runs.size() == 1) return "mean and range of " + counted(curves, "fold");
  return "mean and range of " + counted(curves, "curve") + " of " + counted(group.runs.size(), "run");
}

void add_group(const PlottedGroup& group, int colour, Chart& chart) {
  std::vector<Points> curves;
  for (const PlottedRun* run : group.runs) curves.insert(curves.end(), run->curves.begin(), run->curves.end());
  if (curves.size() == 1) {
    chart.series.push_back({group.label, curves.front(), colour});
    return;
  }
  JoinedCurve one = joined(curves, colour);
  if (!one.mean.empty()) chart.bands.push_back(std::move(one.band));
  for (const Points& curve : curves) chart.series.push_back({"", curve, colour, true});
  if (!one.mean.empty())
    chart.series.push_back({group.label + ", " + joined_text(group, curves.size()), std::move(one.mean), colour});
}

std::string list_of(const std::set<std::string>& names) {
  std::string out;
  for (const std::string& name : names)
    if (name != "step" && name != "epoch") out += (out.empty() ? "" : ", ") + name;
  return out;
}

}  // namespace

std::string title_of_metric(const std::string& metric) {
  if (metric == "dice") return "Validation Dice";
  if (metric == "loss") return "Loss of training";
  if (metric == "val_loss") return "Loss of validation";
  if (metric == "lr") return "Learning rate";
  return metric;
}

std::optional<double> height_at(const Points& curve, double x) {
  if (curve.empty() || x < curve.front().first || x > curve.back().first) return std::nullopt;
  const auto right = std::lower_bound(curve.begin(), curve.end(), x,
                                      [](const std::pair<double, double>& p, double at) { return p.first < at; });
  if (right == curve.begin() || right->first == x) return right->second;
  const auto left = right - 1;
  const double share = (x - left->first) / (right->first - left->first);
  return left->second + share * (right->second - left->second);
}

Points points_of(const MetricLines& lines, const std::string& name) {
  Points out;
  for (const auto& [step, values] : lines)
    for (const auto& [key, value] : values)
      if (key == name && std::isfinite(value)) out.emplace_back(static_cast<double>(step), value);
  return out;
}

namespace {

/// Where one of the lines takes another one's place as the lowest or the highest.
std::vector<double> crossings(const std::vector<Points>& curves, const std::set<double>& places) {
  constexpr std::size_t most_curves = 16;  // of more, the range is that at their points
  std::vector<double> out;
  if (curves.size() > most_curves || places.empty()) return out;
  for (auto right = std::next(places.begin()); right != places.end(); ++right) {
    const double x = *std::prev(right), width = *right - x;
    for (std::size_t a = 0; a < curves.size(); ++a)
      for (std::size_t b = a + 1; b < curves.size(); ++b) {
        const auto difference = [&](double at) -> std::optional<double> {
          const std::optional<double> one = height_at(curves[a], at), other = height_at(curves[b], at);
          return one && other ? std::optional(*one - *other) : std::nullopt;
        };
        const std::optional<double> before = difference(x), after = difference(*right);
        if (before && after && *before * *after < 0) out.push_back(x + width * *before / (*before - *after));
      }
  }
  return out;
}

}  // namespace

JoinedCurve joined(const std::vector<Points>& curves, int colour) {
  std::set<double> places;
  for (const Points& curve : curves)
    for (const auto& p : curve) places.insert(p.first);
  std::set<double> of_band = places;
  for (const double x : crossings(curves, places)) of_band.insert(x);
  JoinedCurve out;
  out.band.colour = colour;
  for (const double x : of_band) {
    std::vector<double> heights;
    for (const Points& curve : curves)
      if (const std::optional<double> y = height_at(curve, x)) heights.push_back(*y);
    if (heights.size() < 2) continue;
    const auto [low, high] = std::minmax_element(heights.begin(), heights.end());
    out.band.at.push_back({x, *low, *high});
    if (places.contains(x)) out.mean.emplace_back(x, spread_of(heights).mean);
  }
  out.mean = thinned(out.mean, most_points);
  return out;
}

Chart plot_of(const PlotRequest& request) {
  const std::string metric = request.metric.empty() ? chosen_by : request.metric;
  std::set<std::string> known;
  std::vector<PlottedRun> runs;
  for (const fs::path& named : request.runs) {
    PlottedRun run = read_run(named, metric, known);
    const bool again = std::any_of(runs.begin(), runs.end(), [&](const PlottedRun& other) {
      return fs::equivalent(other.folder, run.folder) && other.folds == run.folds;
    });
    if (again) throw UsageError(named.string() + " is a run that is named twice");
    runs.push_back(std::move(run));
  }
  for (const PlottedRun& run : runs)
    if (run.curves.empty() && !known.contains(metric)) {
      const std::string names = list_of(known);
      throw UsageError(known.empty() ? run.folder.string() + " has no figures yet: nothing was trained"
                                     : "no run has a figure \"" + metric + "\"; there are " + names);
    } else if (run.curves.empty()) {
      throw Error(run.folder.string() + " has no figure \"" + metric + "\" yet", "leave it out, or wait until it has");
    }
  Chart chart;
  chart.title = request.title.empty() ? title_of_metric(metric) : request.title;
  chart.x_label = "optimiser step", chart.y_label = metric;
  chart.dashed = true;
  int colour = 0;
  for (const PlottedGroup& group : grouped(runs)) add_group(group, colour++, chart);
  return chart;
}

}  // namespace nephron::host
