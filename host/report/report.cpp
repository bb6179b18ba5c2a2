#include <host/report/report.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <map>

#include <nephron/error.hpp>

#include <host/config/load.hpp>
#include <host/html/html.hpp>
#include <host/metrics/dice.hpp>
#include <host/predict/prediction_record.hpp>
#include <host/report/fold_table.hpp>
#include <host/report/prediction_section.hpp>
#include <host/report/run_sections.hpp>
#include <host/runs/run_record.hpp>
#include <host/util/counted.hpp>
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

/// Mean Dice of a class over all pictures; a picture that several folds predicted counts once, with their mean.
std::string dice_tiles(const std::vector<NamedScores>& predictions) {
  std::vector<std::string> classes;
  std::map<std::string, std::map<std::string, std::vector<double>>> dice;  // class, picture
  for (const NamedScores& p : predictions)
    for (std::size_t c = 0; c < p.scores.classes.size(); ++c) {
      auto& pictures = dice[p.scores.classes[c]];
      if (std::find(classes.begin(), classes.end(), p.scores.classes[c]) == classes.end())
        classes.push_back(p.scores.classes[c]);
      for (const auto& [id, score] : p.scores.pictures) pictures[id].push_back(score.dice[c]);
    }
  std::string out;
  for (const std::string& name : classes) {
    std::vector<double> values;
    for (const auto& [id, of_folds] : dice[name]) values.push_back(spread_of(of_folds).mean);
    if (values.empty()) continue;
    const Spread spread = spread_of(values);
    out += tile(figure(spread.mean) + (values.size() > 1 ? " ± " + figure(spread.deviation) : ""),
                "mean Dice" + (classes.size() > 1 ? " " + name : "") + ", " + counted(values.size(), "picture"));
  }
  return out;
}

/// The figures of greatest interest, largest.
std::string tiles(const std::vector<FoldHistory>& folds, const std::vector<NamedScores>& predictions) {
  std::string out = dice_tiles(predictions);
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
    const EnvironmentRecord record = read_environment(run.environment());
    for (const std::string* fact : {&record.started, &record.host, &record.device})
      if (!fact->empty()) facts += " · " + escaped(*fact);
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
  std::vector<NamedScores> scores;
  std::string predictions;
  for (const std::filesystem::path& folder : request.predictions) {
    PredictionRecord record = read_prediction(folder);
    const std::filesystem::path plain = folder.filename().empty() ? folder.parent_path() : folder;
    std::string name = record.name(plain.filename().string());
    const auto taken = [&](const NamedScores& p) { return p.name == name; };
    if (std::any_of(scores.begin(), scores.end(), taken)) name += " (" + folder.string() + ")";
    if (request.predictions.size() > 1) predictions += "<h2>Prediction of " + escaped(name) + "</h2>\n";
    predictions += prediction_section(request, folder, record);
    scores.push_back({std::move(name), std::move(record.scores)});
  }
  if (scores.size() > 1) predictions = fold_table(scores) + predictions;
  const std::string body = header(run, experiment) + tiles(folds, scores) + predictions + curves_section(folds) +
                           folds_section(folds) + environment_section(run) + experiment_section(run);
  return html_page(text_of(experiment, "name") + " – nephron report", body);
}

}  // namespace nephron::host
