#include <host/runs_page/page_curves.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>

#include <nlohmann/json.hpp>

#include <host/plot/run_curves.hpp>
#include <host/runs/run.hpp>
#include <host/util/checked_json.hpp>
#include <host/util/files.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t most_steps_read = 500;  // lines of single steps, a fold
constexpr std::int64_t most_step = std::int64_t{1} << 50;

struct Line {
  std::string_view text;
  std::int64_t number = 0;
};

/// Whole lines that are worth reading: a long training has a hundred thousand, of which the page shows a hundred.
std::vector<Line> chosen_lines(std::string_view text) {
  std::vector<Line> validations, steps;
  std::int64_t number = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    if (end == std::string_view::npos) break;  // being written, or torn by a kill
    const Line line{text.substr(at, end - at), ++number};
    const bool validates = line.text.find("\"train_loss\":") != std::string_view::npos ||
                           line.text.find("\"dice\":") != std::string_view::npos;
    (validates ? validations : steps).push_back(line);
    at = end + 1;
  }
  std::vector<Line> out;
  const std::size_t every = steps.size() / most_steps_read + 1;
  for (std::size_t i = 0; i < steps.size(); i += every) out.push_back(steps[i]);
  out.insert(out.end(), validations.begin(), validations.end());
  std::sort(out.begin(), out.end(), [](const Line& a, const Line& b) { return a.number < b.number; });
  return out;
}

/// The lines of one fold.
struct FoldCurves {
  std::vector<Points> of;
  double steps_per_epoch = 0;
};

FoldCurves read_fold(const fs::path& file, const std::vector<std::string>& names, std::size_t most) {
  FoldCurves out;
  out.of.resize(names.size());
  const std::string text = read_file(file);
  for (const Line& line : chosen_lines(text)) {
    const JsonNode json = JsonNode::parse(std::string(line.text), file.string() + ":" + std::to_string(line.number),
                                          "Remove the line: the curves then lack this step.");
    const auto step = static_cast<double>(json.at("step").integer(0, most_step));
    for (std::size_t i = 0; i < names.size(); ++i)
      if (const auto value = json.find(names[i]); value && value->raw().is_number())
        if (const double y = value->raw().get<double>(); std::isfinite(y)) out.of[i].emplace_back(step, y);
    // A line of validation stands at the end of its epoch.
    if (const auto epoch = json.find("epoch"); epoch && json.find("train_loss") && epoch->raw().is_number())
      out.steps_per_epoch = step / (epoch->number(0, 1e15) + 1);
  }
  for (Points& points : out.of) {
    std::stable_sort(points.begin(), points.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    points = thinned(points, most);
  }
  return out;
}

/// At the steps of the longest one: there the others stand as a rule, too.
PageCurve joined_folds(const std::vector<Points>& folds) {
  PageCurve out;
  const auto longest = std::max_element(folds.begin(), folds.end(), [](const Points& a, const Points& b) {
    return a.empty() || (!b.empty() && a.back().first < b.back().first);
  });
  if (longest == folds.end()) return out;
  const bool several = folds.size() > 1;
  for (const auto& at : *longest) {
    double sum = 0, low = at.second, high = at.second;
    int count = 0;
    for (const Points& fold : folds)
      if (const auto y = height_at(fold, at.first))
        sum += *y, ++count, low = std::min(low, *y), high = std::max(high, *y);
    out.steps.push_back(at.first);
    out.mean.push_back(sum / count);
    if (several) out.low.push_back(low), out.high.push_back(high);
  }
  return out;
}

std::vector<double> thinned(const std::vector<double>& values, std::size_t most) {
  if (values.empty()) return values;
  Points points;
  for (const double v : values) points.emplace_back(v, v);
  std::vector<double> out;
  for (const auto& p : host::thinned(points, most)) out.push_back(p.first);
  return out;
}

}  // namespace

PageCurves read_page_curves(const fs::path& run, const std::vector<std::string>& names, std::size_t most) {
  PageCurves out;
  std::vector<std::vector<Points>> folds(names.size());
  const RunFolder folder = RunFolder::open(run);
  for (const int k : folder.folds()) {
    const fs::path file = folder.fold(k).metrics();
    if (!fs::exists(file)) continue;
    FoldCurves fold = read_fold(file, names, most);
    out.steps_per_epoch = std::max(out.steps_per_epoch, fold.steps_per_epoch);
    for (std::size_t i = 0; i < names.size(); ++i)
      if (!fold.of[i].empty()) folds[i].push_back(std::move(fold.of[i]));
  }
  for (const auto& of_name : folds) out.of.push_back(joined_folds(of_name));
  return out;
}

PageCurve thinned(const PageCurve& curve, std::size_t most) {
  return {thinned(curve.steps, most), thinned(curve.mean, most), thinned(curve.low, most), thinned(curve.high, most)};
}

}  // namespace nephron::host
