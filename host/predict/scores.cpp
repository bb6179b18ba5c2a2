#include <host/predict/scores.hpp>

#include <algorithm>
#include <cstdio>
#include <span>
#include <utility>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

#include <host/metrics/dice.hpp>
#include <host/predict/threshold_search.hpp>
#include <host/util/files.hpp>

namespace nephron::host {

using Json = nlohmann::ordered_json;

namespace {

Json by_class(const std::vector<std::string>& classes, const std::vector<double>& values) {
  Json out = Json::object();
  for (std::size_t c = 0; c < classes.size() && c < values.size(); ++c) out[classes[c]] = values[c];
  return out;
}

std::vector<double> by_class(const std::vector<std::string>& classes, const Json& object) {
  std::vector<double> values;
  for (const std::string& name : classes) values.push_back(object.at(name).get<double>());
  return values;
}

using Curves = std::vector<std::vector<double>>;

Json by_class(const std::vector<std::string>& classes, const Curves& curves) {
  Json out = Json::object();
  for (std::size_t c = 0; c < classes.size() && c < curves.size(); ++c) out[classes[c]] = curves[c];
  return out;
}

Curves curves_of(const std::vector<std::string>& classes, const Json& entry, const char* key) {
  Curves out;
  if (!entry.contains(key)) return out;
  for (const std::string& name : classes) {
    out.push_back(entry.at(key).at(name).get<std::vector<double>>());
    if (out.back().size() != searched_thresholds.size())
      throw Error(std::string(key) + " has " + std::to_string(out.back().size()) + " values, not " +
                  std::to_string(searched_thresholds.size()));
  }
  return out;
}

Json to_json(const std::vector<std::string>& classes, const PictureScore& score) {
  Json out{{"threshold", by_class(classes, score.threshold)},
           {"dice", by_class(classes, score.dice)},
           {"dice_reduced", by_class(classes, score.dice_reduced)}};
  if (score.curve.empty()) return out;
  Json own = Json::object();
  for (std::size_t c = 0; c < classes.size(); ++c) {
    const std::size_t best = best_of(score.curve_reduced[c]);
    own[classes[c]] = {{"threshold", searched_thresholds[best]}, {"dice_reduced", score.curve_reduced[c][best]}};
  }
  out["own_best"] = std::move(own);
  out["dice_by_threshold"] = by_class(classes, score.curve);
  out["dice_reduced_by_threshold"] = by_class(classes, score.curve_reduced);
  return out;
}

std::string cell(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "  %-12.4f", value);
  return text;
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

}  // namespace

std::vector<std::size_t> Scores::choose_thresholds() {
  std::vector<std::size_t> chosen(classes.size(), half);
  for (std::size_t c = 0; c < classes.size(); ++c) {
    std::vector<std::span<const double>> curves;
    for (const auto& [id, score] : pictures)
      if (!score.curve_reduced.empty()) curves.emplace_back(score.curve_reduced[c]);
    if (curves.empty()) continue;
    const std::size_t best = chosen[c] = best_of_all(curves);
    for (auto& [id, score] : pictures) {
      if (score.curve_reduced.empty()) continue;
      score.threshold[c] = searched_thresholds[best];
      score.dice[c] = score.curve[c][best];
      score.dice_reduced[c] = score.curve_reduced[c][best];
    }
  }
  return chosen;
}

PictureScore Scores::mean() const {
  PictureScore out;
  if (pictures.empty()) return out;
  for (std::size_t c = 0; c < classes.size(); ++c) {
    std::vector<double> threshold, dice, reduced;
    for (const auto& [id, score] : pictures) {
      threshold.push_back(score.threshold[c]);
      dice.push_back(score.dice[c]);
      reduced.push_back(score.dice_reduced[c]);
    }
    out.threshold.push_back(spread_of(threshold).mean);
    out.dice.push_back(spread_of(dice).mean);
    out.dice_reduced.push_back(spread_of(reduced).mean);
  }
  return out;
}

std::string Scores::table(bool reduced) const {
  if (pictures.empty()) return {};
  std::size_t width = 7;
  for (const auto& [id, score] : pictures) width = std::max(width, id.size());
  std::string text = padded("picture", width);
  for (const std::string& name : classes) {
    text += "  " + padded("Dice " + name, 12);
    if (reduced) text += "  " + padded("reduced", 12);
  }
  const bool searched = !pictures.begin()->second.curve_reduced.empty();
  text += searched ? "  threshold" + std::string(6 * (classes.size() - 1), ' ') : "  threshold";
  if (searched)
    for (const std::string& name : classes) text += "  own best" + (classes.size() > 1 ? " " + name : "");
  text += "\n";
  const auto line = [&](const std::string& name, const PictureScore& score) {
    text += padded(name, width);
    for (std::size_t c = 0; c < classes.size(); ++c) {
      std::string dice = cell(score.dice[c]);
      dice.resize(std::max(dice.size(), 2 + std::string("Dice ").size() + classes[c].size()), ' ');
      text += dice;
      if (reduced) text += cell(score.dice_reduced[c]);
    }
    for (std::size_t c = 0; c < classes.size(); ++c) {
      char number[32];
      std::snprintf(number, sizeof number, "%s%.2f", c == 0 ? "  " : " ", score.threshold[c]);
      text += number;
    }
    if (searched && !score.curve_reduced.empty()) {
      text += "     ";
      for (std::size_t c = 0; c < classes.size(); ++c) {
        const std::size_t best = best_of(score.curve_reduced[c]);
        char own[48];
        std::snprintf(own, sizeof own, "  %.4f @ %.2f", score.curve_reduced[c][best], searched_thresholds[best]);
        text += own;
      }
    }
    text += "\n";
  };
  for (const auto& [id, score] : pictures) line(id, score);
  line("mean", mean());
  return text;
}

Scores read_scores(const std::filesystem::path& file) {
  Scores scores;
  if (!std::filesystem::exists(file)) return scores;
  try {
    const Json json = Json::parse(read_file(file));
    scores.classes = json.at("classes").get<std::vector<std::string>>();
    for (const auto& [id, entry] : json.at("pictures").items())
      scores.pictures[id] = {
          by_class(scores.classes, entry.at("threshold")), by_class(scores.classes, entry.at("dice")),
          by_class(scores.classes, entry.at("dice_reduced")), curves_of(scores.classes, entry, "dice_by_threshold"),
          curves_of(scores.classes, entry, "dice_reduced_by_threshold")};
    scores.failures = json.at("failures").get<std::map<std::string, std::string>>();
  } catch (const Json::exception& e) {
    throw Error(file.string() + " is not what nephron predict writes: " + e.what(), "Predict again with --overwrite.");
  }
  return scores;
}

void write_scores(const std::filesystem::path& file, const Scores& scores) {
  Json pictures = Json::object();
  for (const auto& [id, score] : scores.pictures) pictures[id] = to_json(scores.classes, score);
  Json json{{"classes", scores.classes}, {"pictures", std::move(pictures)}, {"failures", scores.failures}};
  if (!scores.pictures.empty()) json["mean"] = to_json(scores.classes, scores.mean());
  write_file_atomically(file, json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace nephron::host
