#include <host/predict/chosen_networks.hpp>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

namespace nephron::host {

using Json = nlohmann::ordered_json;

namespace {

/// Their outputs are equal where this is. Batches are no setting of a prediction that goes on, but change last bits.
Json all_settings(const std::vector<std::unique_ptr<Member>>& members, const std::string& settings) {
  Json out = Json::parse(settings);
  for (const auto& member : members) out["batch"].push_back(member->settings.batch);
  return out;
}

}  // namespace

std::string chosen_networks(const std::vector<std::unique_ptr<Member>>& members, const std::string& settings) {
  Json out{{"networks", Json::array()}, {"settings", all_settings(members, settings)}};
  for (const auto& member : members) {
    const PredictSettings& own = member->settings;
    Json network{{"place", member->place.string()},
                 {"run", own.run.string()},
                 {"folds", own.folds},
                 {"checkpoint", own.checkpoint},
                 {"weights", Json::array()}};
    for (const std::filesystem::path& file : own.weights) network["weights"].push_back(file.string());
    out["networks"].push_back(std::move(network));
  }
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void ask_for_chosen(PredictRequest& request, const std::string& line) {
  const Json chosen = Json::parse(line);
  request.with.clear();
  for (const Json& network : chosen.at("networks")) {
    const std::filesystem::path place = network.at("place").get<std::string>();
    if (request.chosen.empty()) request.run = place;
    else request.with.push_back(place);
    ChosenWeights& weights = request.chosen.emplace_back();
    weights.run = network.at("run").get<std::string>();
    weights.folds = network.at("folds").get<std::vector<int>>();
    weights.checkpoint = network.at("checkpoint").get<std::string>();
    for (const Json& file : network.at("weights")) {
      weights.files.emplace_back(file.get<std::string>());
      if (!std::filesystem::exists(weights.files.back()))
        throw Error(
            weights.files.back().string() + ", which this prediction began with, is gone",
            "A run that is still trained keeps few of its weights. Copy the run, or name one of its checkpoints "
            "that stays, and predict by that.");
    }
  }
}

void require_chosen(const std::vector<std::unique_ptr<Member>>& members, const std::string& settings,
                    const std::string& line) {
  const Json wanted = Json::parse(line).at("settings"), is = all_settings(members, settings);
  for (const auto& [key, value] : wanted.items())
    if (!is.contains(key) || is[key] != value)
      throw Error("the prediction began with another " + key + ": " + value.dump() + " then, " +
                      (is.contains(key) ? is[key].dump() : "none") + " now",
                  "A file of the run, or what the experiment names, was replaced since: put it back, or predict anew.");
}

}  // namespace nephron::host
