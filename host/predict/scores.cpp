#include <host/predict/scores.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <utility>

#include <nlohmann/json.hpp>

#include <host/metrics/dice.hpp>
#include <host/metrics/pooled_values.hpp>
#include <host/predict/threshold_search.hpp>
#include <host/util/checked_json.hpp>
#include <host/util/files.hpp>

namespace nephron::host {

using Json = nlohmann::ordered_json;

namespace {

Json by_class(const std::vector<std::string>& classes, const std::vector<double>& values) {
  Json out = Json::object();
  for (std::size_t c = 0; c < classes.size() && c < values.size(); ++c)
    out[classes[c]] = std::isfinite(values[c]) ? Json(values[c]) : Json();
  return out;
}

using Curves = std::vector<std::vector<double>>;

Json by_class(const std::vector<std::string>& classes, const Curves& curves) {
  Json out = Json::object();
  for (std::size_t c = 0; c < classes.size() && c < curves.size(); ++c)
    out[classes[c]] = curves[c].empty() ? Json() : Json(curves[c]);
  return out;
}

/// Of each class, and of all together, the values by their names; null where one is undefined.
Json by_class(const std::vector<std::string>& classes, const std::vector<MetricValue>& values) {
  Json out = Json::object();
  for (const MetricValue& v : values) {
    const std::string name = v.class_index < 0 ? "" : classes.at(static_cast<std::size_t>(v.class_index));
    out[name][v.name] = std::isfinite(v.value) ? Json(v.value) : Json();
  }
  return out;
}

const char* const how = "Predict again with --overwrite.";

/// A value a class, of an object that has the classes as keys and no other; null: none is defined.
std::vector<double> shares_of(const std::vector<std::string>& classes, const JsonNode& object) {
  std::vector<double> values;
  for (const std::string& name : classes) {
    const JsonNode value = object.at(name);
    values.push_back(value.raw().is_null() ? std::numeric_limits<double>::quiet_NaN() : value.number(0, 1));
  }
  if (object.members().size() != classes.size()) object.refuse("names classes that are not in \"classes\"");
  return values;
}

Curves curves_of(const std::vector<std::string>& classes, const JsonNode& entry, const char* key) {
  Curves out;
  const auto object = entry.find(key);
  if (!object) return out;
  for (const std::string& name : classes) {
    const JsonNode list = object->at(name);
    std::vector<double>& curve = out.emplace_back();
    if (list.raw().is_null()) continue;
    for (const JsonNode& value : list.items()) curve.push_back(value.number(0, 1));
    if (curve.size() != searched_thresholds.size())
      list.refuse("has " + std::to_string(curve.size()) + " values, not " + std::to_string(searched_thresholds.size()));
  }
  return out;
}

TrainedOn trained_on_of(const JsonNode& entry) {
  TrainedOn out{{}, entry.at("by").text()};
  for (const JsonNode& fold : entry.at("folds").items())
    out.folds.push_back(static_cast<int>(fold.integer(0, std::numeric_limits<int>::max())));
  return out;
}

void require_id(const std::string& id, const JsonNode& where) {
  if (id.empty() || id == "." || id == ".." || id.find('/') != std::string::npos || id.find('\0') != std::string::npos)
    where.refuse("is of a picture \"" + id + "\", which no file can be called");
}

}  // namespace

PictureScore read_score(const std::vector<std::string>& classes, const JsonNode& json) {
  PictureScore out{shares_of(classes, json.at("threshold")), shares_of(classes, json.at("dice")),
                   shares_of(classes, json.at("dice_reduced")), curves_of(classes, json, "dice_by_threshold"),
                   curves_of(classes, json, "dice_reduced_by_threshold")};
  if (const auto digests = json.find("digests")) {
    out.picture = digests->at("picture").text();
    out.masks = digests->at("masks").text();
  }
  if (out.curve.empty() != out.curve_reduced.empty())
    json.refuse("has one of dice_by_threshold and dice_reduced_by_threshold, and not the other");
  return out;
}

Json score_json(const std::vector<std::string>& classes, const PictureScore& score) {
  Json out{{"threshold", by_class(classes, score.threshold)},
           {"dice", by_class(classes, score.dice)},
           {"dice_reduced", by_class(classes, score.dice_reduced)}};
  if (!score.picture.empty()) out["digests"] = {{"picture", score.picture}, {"masks", score.masks}};
  if (score.curve.empty()) return out;
  Json own = Json::object();
  for (std::size_t c = 0; c < classes.size(); ++c) {
    if (score.curve_reduced[c].empty()) continue;
    const std::size_t best = best_of(score.curve_reduced[c]);
    own[classes[c]] = {{"threshold", searched_thresholds[best]}, {"dice_reduced", score.curve_reduced[c][best]}};
  }
  out["own_best"] = std::move(own);
  out["dice_by_threshold"] = by_class(classes, score.curve);
  out["dice_reduced_by_threshold"] = by_class(classes, score.curve_reduced);
  return out;
}

std::vector<std::size_t> Scores::choose_thresholds() {
  std::vector<std::size_t> chosen(classes.size(), half);
  for (std::size_t c = 0; c < classes.size(); ++c) {
    std::vector<std::span<const double>> curves;
    for (const auto& [id, score] : pictures)
      if (!score.curve_reduced.empty() && !score.curve_reduced[c].empty()) curves.emplace_back(score.curve_reduced[c]);
    if (curves.empty()) continue;
    const std::size_t best = chosen[c] = best_of_all(curves);
    for (auto& [id, score] : pictures) {
      if (score.curve_reduced.empty() || score.curve_reduced[c].empty()) continue;
      score.threshold[c] = searched_thresholds[best];
      score.dice[c] = score.curve[c][best];
      score.dice_reduced[c] = score.curve_reduced[c][best];
    }
  }
  return chosen;
}

namespace {

template <class Counts>
PictureScore mean_where(const Scores& scores, const Counts& counts) {
  PictureScore out;
  for (std::size_t c = 0; c < scores.classes.size(); ++c) {
    std::vector<double> threshold, dice, reduced;
    for (const auto& [id, score] : scores.pictures) {
      if (!counts(id)) continue;
      threshold.push_back(score.threshold[c]);
      if (std::isnan(score.dice[c])) continue;
      dice.push_back(score.dice[c]);
      reduced.push_back(score.dice_reduced[c]);
    }
    if (threshold.empty()) return out;
    out.threshold.push_back(spread_of(threshold).mean);
    const double none = std::numeric_limits<double>::quiet_NaN();
    out.dice.push_back(dice.empty() ? none : spread_of(dice).mean);
    out.dice_reduced.push_back(dice.empty() ? none : spread_of(reduced).mean);
  }
  return out;
}

}  // namespace

PictureScore Scores::mean() const {
  return mean_where(*this, [](const std::string&) { return true; });
}

PictureScore Scores::mean_of_new() const {
  return mean_where(*this, [&](const std::string& id) { return !trained_on.contains(id); });
}

std::size_t Scores::scored_and_trained_on() const {
  return static_cast<std::size_t>(
      std::count_if(pictures.begin(), pictures.end(), [&](const auto& p) { return trained_on.contains(p.first); }));
}

bool Scores::searched() const {
  return std::any_of(pictures.begin(), pictures.end(), [](const auto& p) { return !p.second.curve.empty(); });
}

Scores read_scores(const std::filesystem::path& file) {
  Scores scores;
  if (!std::filesystem::exists(file)) return scores;
  const JsonNode json = JsonNode::read(file, how);
  scores.classes = json.at("classes").texts();
  if (scores.classes.empty()) json.at("classes").refuse("names no class");
  for (const auto& [id, entry] : json.at("pictures").members()) {
    require_id(id, entry);
    scores.pictures[id] = read_score(scores.classes, entry);
  }
  for (const auto& [id, why] : json.at("failures").members()) scores.failures[id] = why.text();
  if (const auto known = json.find("trained_on"))
    for (const auto& [id, entry] : known->members()) scores.trained_on[id] = trained_on_of(entry);
  return scores;
}

void write_scores(const std::filesystem::path& file, const Scores& scores) {
  Json pictures = Json::object(), trained_on = Json::object();
  for (const auto& [id, score] : scores.pictures) {
    pictures[id] = score_json(scores.classes, score);
    pictures[id]["trained_on"] = scores.trained_on.contains(id);
    if (const auto values = scores.values_of.find(id); values != scores.values_of.end())
      pictures[id]["values"] = by_class(scores.classes, values->second);
  }
  for (const auto& [id, known] : scores.trained_on) trained_on[id] = {{"by", known.by}, {"folds", known.folds}};
  Json json{{"classes", scores.classes},
            {"pictures", std::move(pictures)},
            {"failures", scores.failures},
            {"trained_on", std::move(trained_on)}};
  if (scores.searched()) json["threshold_chosen_on"] = "the scored pictures: optimistic";
  if (!scores.pictures.empty()) json["mean"] = score_json(scores.classes, scores.mean());
  if (const PictureScore fresh = scores.mean_of_new(); scores.scored_and_trained_on() > 0 && !fresh.dice.empty())
    json["mean_of_new"] = score_json(scores.classes, fresh);
  if (!scores.values.empty()) json["values"] = values_json(scores.values, scores.classes);
  const Json cautions = scores.cautions();
  if (!cautions.empty()) json["cautions"] = cautions;
  write_file_atomically(file, json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace nephron::host
