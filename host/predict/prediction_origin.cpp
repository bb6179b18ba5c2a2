#include <host/predict/prediction_origin.hpp>

#include <utility>

#include <nlohmann/json.hpp>

#include <host/util/files.hpp>

namespace nephron::host {

using Json = nlohmann::ordered_json;

namespace {

/// Without where the run lay, and what makes no other pixels.
void leave_out_places(Json& settings) {
  settings.erase("run");
  settings.erase("weights");
  settings.erase("metrics");  // they change no file but their own
}

}  // namespace

PredictionOrigin::PredictionOrigin(const std::vector<std::unique_ptr<Member>>& members, const std::string& settings,
                                   std::string device)
    : device_(std::move(device)) {
  for (const auto& member : members)
    weights_.insert(weights_.end(), member->settings.weights_sha256.begin(), member->settings.weights_sha256.end());
  Json json = Json::parse(settings);
  leave_out_places(json);
  if (const auto with = json.find("with"); with != json.end())
    for (Json& other : *with) {
      Json own = Json::parse(other.get<std::string>());
      leave_out_places(own);
      other = std::move(own);
    }
  // No setting that a prediction which goes on must agree in, but a tile's last bits may depend on its neighbours.
  for (const auto& member : members) json["batch"].push_back(member->settings.batch);
  settings_ = sha256_of_text(json.dump());
}

std::string PredictionOrigin::of(const std::string& picture) const {
  Json json = Json::object();
  if (!picture.empty()) json["picture_sha256"] = picture;
  json["weights_sha256"] = weights_;
  json["settings_sha256"] = settings_;
  if (!device_.empty()) json["device"] = device_;
  return json.dump();
}

std::string origin_at(const std::string& origin, const std::vector<double>& thresholds) {
  Json json = Json::parse(origin);
  json["thresholds"] = thresholds;
  return json.dump();
}

std::string origin_cells(const std::string& origin) {
  const Json json = Json::parse(origin);
  const auto cell = [&](const char* key) {
    std::string out;
    for (const Json& value : json.value(key, Json::array()))
      out += (out.empty() ? "" : ";") + (value.is_string() ? value.get<std::string>() : value.dump());
    return out;
  };
  return json.value("picture_sha256", "") + "," + cell("weights_sha256") + "," + json.value("settings_sha256", "") +
         "," + cell("thresholds");
}

}  // namespace nephron::host
