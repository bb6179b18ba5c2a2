#include <host/report/report.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include <nephron/error.hpp>

#include <host/config/load.hpp>
#include <host/html/html.hpp>
#include <host/metrics/dice.hpp>
#include <host/predict/prediction_record.hpp>
#include <host/report/configuration_section.hpp>
#include <host/report/figures.hpp>
#include <host/report/fold_table.hpp>
#include <host/report/gallery.hpp>
#include <host/report/page_script.hpp>
#include <host/report/prediction_section.hpp>
#include <host/report/run_sections.hpp>
#include <host/report/validation_section.hpp>
#include <host/runs/run_record.hpp>
#include <host/util/counted.hpp>
#include <host/util/log.hpp>
#include <host/util/progress.hpp>
#include <host/util/shell_word.hpp>

namespace nephron::host {

namespace {

/// Mean Dice of a class over all pictures; a picture that several folds predicted counts once, with their mean.
std::string dice_tiles(const std::vector<NamedScores>& predictions) {
  std::vector<std::string> classes;
  std::map<std::string, std::map<std::string, std::vector<double>>> dice;  // class, picture
  for (const NamedScores& p : predictions)
    for (std::size_t c = 0; c < p.scores.classes.size(); ++c) {
      auto& pictures = dice[p.scores.classes[c]];
      if (std::find(classes.begin(), classes.end(), p.scores.classes[c]) == classes.end())
        classes.push_back(p.scores.classes[c]);
      for (const auto& [id, score] : p.scores.pictures)
        if (!std::isnan(score.dice[c])) pictures[id].push_back(score.dice[c]);
    }
  std::string out;
  for (const std::string& name : classes) {
    std::vector<double> values;
    for (const auto& [id, of_folds] : dice[name]) values.push_back(spread_of(of_folds).mean);
    if (values.empty()) continue;
    const Spread spread = spread_of(values);
    out += tile(
        with_deviation(spread, values.size()),
        "mean Dice of predictions" + (classes.size() > 1 ? " " + name : "") + ", " + counted(values.size(), "picture"));
  }
  return out;
}

/// The figures of greatest interest, largest.
std::string tiles(const std::vector<FoldHistory>& folds, const std::vector<NamedScores>& predictions,
                  const std::optional<ValidationRecord>& validation) {
  std::string out = (validation ? validation_tiles(*validation) : "") + dice_tiles(predictions);
  std::vector<double> best;
  double seconds = 0, steps = 0;
  for (const FoldHistory& fold : folds) {
    if (!fold.done.empty()) best.push_back(value_of(fold.done, "best_dice", 0));
    seconds += value_of(fold.done, "seconds", 0);
    steps += value_of(fold.done, "steps", fold.lines.empty() ? 0 : static_cast<double>(fold.lines.back().first));
  }
  if (!best.empty()) {
    const Spread spread = spread_of(best);
    out += tile(
        with_deviation(spread, best.size()),
        "validation Dice of training" + std::string(best.size() > 1 ? ", best of each fold, mean of folds" : ", best"));
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

/// What was said of the slides that the folds held out.
std::string out_of_fold(const ReportRequest& request, const RunFolder& run,
                        const std::optional<ValidationRecord>& validation) {
  if (!validation) {
    log().warning("the run was not validated: " + validate_command(request) +
                  " measures the slides that its folds held out, for the page to show");
    return no_validation(validate_command(request));
  }
  GalleryRequest gallery;
  gallery.most = static_cast<std::size_t>(std::max(0, request.gallery));
  gallery.validate = validate_command(request) + " --overwrite";
  return validation_section(*validation) + gallery_section(run, *validation, gallery);
}

}  // namespace

std::filesystem::path validation_of(const ReportRequest& request) {
  return request.validation.empty() ? RunFolder::open(request.run).folder() / "validation" : request.validation;
}

std::string validate_command(const ReportRequest& request) {
  return "nephron validate " + shell_word(request.run.string()) +
         " --metrics dice,calibration,detection,counts,confusion --save masks" +
         (request.validation.empty() ? "" : " --out " + shell_word(request.validation.string()));
}

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
  const std::optional<ValidationRecord> validation = read_validation(validation_of(request));
  if (!validation && !request.validation.empty())
    throw Error(request.validation.string() + " holds no validation: scores.json is not there",
                "Make one: " + validate_command(request));
  const std::string body = header(run, experiment) + tiles(folds, scores, validation) +
                           out_of_fold(request, run, validation) + predictions + curves_section(folds) +
                           folds_section(folds) + configuration_section(run) + environment_section(run);
  return html_page(text_of(experiment, "name") + " – nephron report", body, page_script);
}

}  // namespace nephron::host
