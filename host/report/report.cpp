#include <host/report/report.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

#include <host/config/load.hpp>
#include <host/metrics/dice.hpp>
#include <host/report/html.hpp>
#include <host/report/prediction_section.hpp>
#include <host/report/run_sections.hpp>
#include <host/util/files.hpp>
#include <host/util/progress.hpp>

namespace nephron::host {

namespace {

std::string tile(const std::string& value, const std::string& what) {
  return "<div class=\"tile\"><b>" + escaped(value) + "</b><span>" + escaped(what) + "</span></div>";
}

std::string figure(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4f", value);
  return text;
}

/// The figures of greatest interest, largest.
std::string tiles(const std::vector<FoldHistory>& folds, const Scores& scores) {
  std::string out;
  if (!scores.pictures.empty()) {
    const std::vector<double> mean = scores.mean().dice;
    for (std::size_t c = 0; c < mean.size(); ++c)
      out += tile(figure(mean[c]), "mean Dice" + (mean.size() > 1 ? " " + scores.classes[c] : "") + ", " +
                                       std::to_string(scores.pictures.size()) + " pictures");
  }
  std::vector<double> best;
  double seconds = 0, steps = 0;
  for (const FoldHistory& fold : folds) {
    if (!fold.done.empty()) best.push_back(value_of(fold.done, "best_dice", 0));
    seconds += value_of(fold.done, "seconds", 0);
    steps += value_of(fold.done, "steps", fold.lines.empty() ? 0 : static_cast<double>(fold.lines.back().first));
  }
  if (!best.empty()) {
    const Spread spread = spread_of(best);
    out += tile(figure(spread.mean) + (best.size() > 1 ? " ± " + figure(spread.deviation) : ""),
                "best validation Dice" + std::string(best.size() > 1 ? ", mean of folds" : ""));
  }
  out += tile(std::to_string(best.size()) + " of " + std::to_string(folds.size()), "folds finished");
  out += tile(std::to_string(std::llround(steps)), "optimiser steps");
  if (seconds > 0) out += tile(duration_text(seconds), "training time");
  return "<div class=\"tiles\">" + out + "</div>\n";
}

std::string text_of(const Value& table, const char* key) {
  const Value* const value = table.find(key);
  return value != nullptr && value->is(Value::Type::string) ? value->string() : "";
}

std::string header(const RunFolder& run, const Value& experiment) {
  std::string facts = escaped(run.folder().string());
  if (std::filesystem::exists(run.environment())) {
    const auto json = nlohmann::json::parse(read_file(run.environment()), nullptr, false);
    for (const char* key : {"started", "host", "device"}) {
      if (json.is_object() && json.contains(key) && json[key].is_string())
        facts += " · " + escaped(json[key].get<std::string>());
    }
  }
  const std::string description = text_of(experiment, "description");
  return "<header><h1>" + escaped(text_of(experiment, "name")) + "</h1>\n" +
         (description.empty() ? "" : "<p>" + escaped(description) + "</p>\n") + "<p class=\"soft\">" + facts +
         "</p></header>\n";
}

}  // namespace

std::string report_html(const ReportRequest& request) {
  const RunFolder run = RunFolder::open(request.run);
  const Value experiment = parse_toml(run.experiment());
  const std::vector<FoldHistory> folds = histories(run);
  Scores scores;
  std::string predictions;
  if (!request.predictions.empty()) {
    if (!std::filesystem::exists(request.predictions / "predict.json"))
      throw Error(
          request.predictions.string() + " holds no prediction: predict.json is not there",
          "Make one: nephron predict " + request.run.string() + " --images DIR --out " + request.predictions.string());
    scores = read_scores(request.predictions / "scores.json");
    predictions = prediction_section(request, scores);
  }
  const std::string body = header(run, experiment) + tiles(folds, scores) + predictions + curves_section(folds) +
                           folds_section(folds) + environment_section(run) + experiment_section(run);
  return html_page(text_of(experiment, "name") + " – nephron report", body);
}

}  // namespace nephron::host
