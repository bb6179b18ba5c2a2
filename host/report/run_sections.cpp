#include <host/report/run_sections.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include <host/data/fold_slides.hpp>
#include <host/html/chart.hpp>
#include <host/html/html.hpp>
#include <host/runs/run_record.hpp>
#include <host/util/files.hpp>
#include <host/util/progress.hpp>

namespace nephron::host {

using Points = std::vector<std::pair<double, double>>;

namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

std::string figure(double value, const char* format = "%.4f") {
  if (!std::isfinite(value)) return "–";
  char text[32];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

/// A figure against steps.
Points points_of(const FoldHistory& fold, const std::string& name) {
  Points out;
  for (const auto& [step, values] : fold.lines) {
    const double v = value_of(values, name, nothing);
    if (std::isfinite(v)) out.emplace_back(static_cast<double>(step), v);
  }
  return out;
}

Chart chart_of(const std::vector<FoldHistory>& folds, const std::string& title, const std::string& faint,
               const std::string& bold, const std::string& faint_name, const std::string& bold_name) {
  Chart chart{title, "optimiser step", {}};
  for (const FoldHistory& fold : folds) {
    const std::string prefix =
        folds.size() > 1 ? "fold " + std::to_string(fold.fold) + (bold_name.empty() ? "" : ", ") : "";
    const auto add = [&](const std::string& metric, const std::string& name, bool is_faint, int colour) {
      Points points = thinned(points_of(fold, metric), 400);
      if (!points.empty()) chart.series.push_back({prefix + name, std::move(points), colour, is_faint});
    };
    if (!faint.empty()) add(faint, faint_name, true, fold.fold);
    add(bold, bold_name, false, fold.fold);
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
  const std::string charts =
      chart_html(chart_of(folds, "Loss", "loss", "val_loss", "training", "validation")) +
      chart_html(chart_of(folds, "Validation Dice", "", "dice", "", folds.size() > 1 ? "" : "Dice")) +
      chart_html(chart_of(folds, "Learning rate", "", "lr", "", folds.size() > 1 ? "" : "lr"));
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

std::string experiment_section(const RunFolder& run) {
  return "<h2>Experiment</h2>\n<div class=\"card\"><details open><summary>As it was resolved: every key, and where it "
         "was written</summary><pre>" +
         escaped(read_file(run.experiment())) + "</pre></details></div>\n";
}

}  // namespace nephron::host
