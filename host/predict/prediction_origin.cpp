#include <host/predict/prediction_origin.hpp>

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

PredictionOrigin::PredictionOrigin(const std::vector<std::unique_ptr<Member>>& members, const std::string& settings) {
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
  settings_ = sha256_of_text(json.dump());
}

std::string PredictionOrigin::of(const std::string& picture) const {
  Json json = Json::object();
  if (!picture.empty()) json["picture_sha256"] = picture;
  json["weights_sha256"] = weights_;
  json["settings_sha256"] = settings_;
  return json.dump();
}

}  // namespace nephron::host
