#include <host/predict/scores.hpp>

#include <algorithm>
#include <cstdio>
#include <utility>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

#include <host/metrics/dice.hpp>
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

Json to_json(const std::vector<std::string>& classes, const PictureScore& score) {
  return {{"threshold", by_class(classes, score.threshold)},
          {"dice", by_class(classes, score.dice)},
          {"dice_reduced", by_class(classes, score.dice_reduced)}};
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
  text += "  threshold\n";
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
      scores.pictures[id] = {by_class(scores.classes, entry.at("threshold")),
                             by_class(scores.classes, entry.at("dice")),
                             by_class(scores.classes, entry.at("dice_reduced"))};
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
