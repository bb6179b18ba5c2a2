#include <host/report/fold_table.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>

#include <host/html/html.hpp>
#include <host/metrics/dice.hpp>

namespace nephron::host {

namespace {

std::string figure(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4f", value);
  return text;
}

std::string mean_of(const std::vector<double>& values) { return values.empty() ? "" : figure(spread_of(values).mean); }
/// One figure has no deviation.
std::string deviation_of(const std::vector<double>& values) {
  return values.size() < 2 ? "" : figure(spread_of(values).deviation);
}

/// Of a class of a picture; null where there is none.
const double* dice_of(const Scores& scores, const std::string& picture, const std::string& name) {
  const auto found = scores.pictures.find(picture);
  const auto place = std::find(scores.classes.begin(), scores.classes.end(), name);
  if (found == scores.pictures.end() || place == scores.classes.end()) return nullptr;
  const double& dice = found->second.dice[static_cast<std::size_t>(place - scores.classes.begin())];
  return std::isnan(dice) ? nullptr : &dice;
}

std::string table_of(const std::vector<NamedScores>& predictions, const std::set<std::string>& pictures,
                     const std::string& name) {
  const bool several = predictions.size() > 1;
  std::vector<std::string> head{"slide"};
  for (const NamedScores& p : predictions) head.push_back(escaped(p.name));
  if (several) head.insert(head.end(), {"mean", "deviation"});
  std::vector<std::vector<std::string>> rows;
  std::vector<std::vector<double>> columns(predictions.size());
  std::vector<double> all;
  for (const std::string& picture : pictures) {
    std::vector<std::string> row{escaped(picture)};
    std::vector<double> here;
    for (std::size_t i = 0; i < predictions.size(); ++i) {
      const double* const dice = dice_of(predictions[i].scores, picture, name);
      row.push_back(dice != nullptr ? figure(*dice) : "");
      if (dice == nullptr) continue;
      columns[i].push_back(*dice);
      here.push_back(*dice);
    }
    if (here.empty()) continue;
    all.push_back(spread_of(here).mean);  // several folds of one picture are one picture
    if (several) row.insert(row.end(), {mean_of(here), deviation_of(here)});
    rows.push_back(std::move(row));
  }
  const auto last_row = [&](const char* what, std::string (*of)(const std::vector<double>&)) {
    std::vector<std::string> row{"<b>" + std::string(what) + "</b>"};
    for (const auto& column : columns) row.push_back("<b>" + of(column) + "</b>");
    if (several) row.insert(row.end(), {"<b>" + of(all) + "</b>", ""});
    rows.push_back(std::move(row));
  };
  last_row("mean", &mean_of);
  last_row("standard deviation", &deviation_of);
  return "<div class=\"card\">" + html_table(head, rows) + "</div>\n";
}

}  // namespace

std::string fold_table(const std::vector<NamedScores>& predictions) {
  std::set<std::string> pictures;
  std::vector<std::string> classes;
  for (const NamedScores& p : predictions) {
    for (const auto& [picture, score] : p.scores.pictures) pictures.insert(picture);
    for (const std::string& name : p.scores.classes)
      if (std::find(classes.begin(), classes.end(), name) == classes.end()) classes.push_back(name);
  }
  if (pictures.empty()) return {};
  std::string out = "<h2>Dice of each slide and fold</h2>\n";
  for (const std::string& name : classes) {
    if (classes.size() > 1) out += "<h3>" + escaped(name) + "</h3>\n";
    out += table_of(predictions, pictures, name);
  }
  return out;
}

}  // namespace nephron::host
