#include <host/report/run_sections.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include <host/data/fold_slides.hpp>
#include <host/html/html.hpp>
#include <host/plot/run_curves.hpp>
#include <host/report/figures.hpp>
#include <host/runs/run_record.hpp>
#include <host/util/files.hpp>
#include <host/util/progress.hpp>

namespace nephron::host {

namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

struct Line {
  const char* metric;
  const char* name;
};

/// A figure of all folds: of several, each is pale behind their mean and the range between the least and the largest.
void add_line(const std::vector<FoldHistory>& folds, const Line& line, int colour, bool faint, Chart& chart) {
  std::vector<Points> curves;
  for (const FoldHistory& fold : folds)
    if (Points points = thinned(points_of(fold.lines, line.metric), 400); !points.empty())
      curves.push_back(std::move(points));
  if (curves.size() == 1) return chart.series.push_back({line.name, std::move(curves.front()), colour, faint}), void();
  JoinedCurve all = joined(curves, colour);
  for (Points& curve : curves) chart.series.push_back({"", std::move(curve), colour, true});
  if (all.mean.empty()) return;
  chart.bands.push_back(std::move(all.band));
  const std::string of = "mean of " + std::to_string(curves.size()) + " folds, and their range";
  chart.series.push_back(
      {line.name == std::string() ? of : line.name + std::string(", ") + of, std::move(all.mean), colour});
}

Chart chart_of(const std::vector<FoldHistory>& folds, const std::string& title, const std::vector<Line>& lines) {
  Chart chart{title, "optimiser step"};
  for (const Line& line : lines) {
    const bool noisy = line.metric == std::string("loss");
    add_line(folds, line, noisy ? 1 : 0, noisy, chart);
  }
  return chart;
}

}  // namespace

double value_of(const MetricsLog::Values& values, const std::string& name, double otherwise) {
  for (const auto& [key, value] : values) {
    if (key == name) return value;
  }
  return otherwise;
}

std::vector<FoldHistory> histories(const RunFolder& run) {
  std::vector<FoldHistory> out;
  for (const int k : run.folds()) {
    const FoldFolder folder = run.fold(k);
    FoldHistory fold{k, {}, {}, {}};
    if (std::filesystem::exists(folder.metrics())) fold.lines = read_metrics(folder.metrics());
    if (folder.finished()) fold.done = read_done(folder.done());
    if (std::filesystem::exists(folder.slides())) {
      const FoldSlidesRecord slides = read_fold_slides(folder.slides());
      fold.slides = std::to_string(slides.trained_on.size()) + " + " + std::to_string(slides.held_out.size());
    }
    out.push_back(std::move(fold));
  }
  return out;
}

std::string curves_section(const std::vector<FoldHistory>& folds) {
  const std::string charts = chart_html(chart_of(folds, "Loss", {{"loss", "training"}, {"val_loss", "validation"}})) +
                             chart_html(chart_of(folds, "Validation Dice", {{"dice", ""}})) +
                             chart_html(chart_of(folds, "Learning rate", {{"lr", ""}}));
  return charts.empty() ? std::string() : "<h2>Training</h2>\n<div class=\"charts\">\n" + charts + "</div>\n";
}

std::string folds_section(const std::vector<FoldHistory>& folds) {
  const auto value = [](const FoldHistory& fold, const char* name) { return value_of(fold.done, name, nothing); };
  const bool averaged = std::any_of(folds.begin(), folds.end(),
                                    [&](const FoldHistory& fold) { return value(fold, "average_dice") >= 0; });
  std::vector<std::string> head{"",
                                "best validation Dice",
                                "at epoch",
                                "last Dice",
                                "slides trained on + held out",
                                "epochs",
                                "steps",
                                "tiles/s",
                                "time"};
  constexpr std::ptrdiff_t behind_last = 4;
  if (averaged) head.insert(head.begin() + behind_last, "Dice of averaged weights");
  std::vector<std::vector<std::string>> rows;
  for (const FoldHistory& fold : folds) {
    const double seconds = value(fold, "seconds"), average = value(fold, "average_dice");
    rows.push_back({"fold " + std::to_string(fold.fold),
                    fold.done.empty() ? "not finished" : figure(value(fold, "best_dice")),
                    figure(value(fold, "best_epoch"), "%.0f"), figure(value(fold, "last_dice")),
                    fold.slides.empty() ? "–" : fold.slides, figure(value(fold, "epochs"), "%.0f"),
                    figure(value(fold, "steps"), "%.0f"), figure(value(fold, "tiles_per_s"), "%.1f"),
                    std::isfinite(seconds) ? duration_text(seconds) : "–"});
    if (averaged) rows.back().insert(rows.back().begin() + behind_last, average >= 0 ? figure(average) : "–");
  }
  if (rows.empty()) return {};
  return "<h2>Folds</h2>\n<div class=\"card\">" + html_table(head, rows) + "</div>\n";
}

std::string environment_section(const RunFolder& run) {
  if (!std::filesystem::exists(run.environment())) return {};
  std::string rows;
  for (const auto& [key, value] : read_environment(run.environment()).facts)
    rows += "<tr><td>" + escaped(key) + "</td><td>" + escaped(value) + "</td></tr>\n";
  return "<h2>Environment</h2>\n<div class=\"card\"><details><summary>What the run ran with</summary><table "
         "class=\"facts\"><tbody>\n" +
         rows + "</tbody></table></details></div>\n";
}

}  // namespace nephron::host
