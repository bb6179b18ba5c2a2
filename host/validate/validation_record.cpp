#include <host/validate/validation_record.hpp>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

#include <host/runs/checkpoint_digests.hpp>
#include <host/util/checked_json.hpp>
#include <host/util/files.hpp>

namespace nephron::host {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

std::string validation_settings(const ValidateRequest& request, const Experiment& experiment,
                                const ValidateOutcome& asked, const std::map<int, fs::path>& weights,
                                const MetricSet& metrics) {
  Json json{{"run", asked.run.string()},
            {"folds", asked.folds},
            {"checkpoint", asked.checkpoint},
            {"weights", Json::object()},
            {"weights_sha256", Json::object()},
            {"tta", asked.tta},
            {"precision", asked.precision},
            {"metrics", metrics.str()},
            {"thresholds", asked.thresholds},
            {"least_area", request.objects.least_area},
            {"fill_holes", request.objects.fill_holes},
            {"save", request.save},
            {"glass", request.all_tiles ? "predicted" : "skipped"},
            {"batch", experiment.prediction_batch()}};
  // Named as in scores.json; wherever the run lies by then, other bytes are other weights.
  for (const auto& [fold, step] : asked.weights) {
    json["weights"][std::to_string(fold)] = step;
    const std::string sha256 = sha256_of(weights.at(fold));
    require_as_written(weights.at(fold), sha256);
    json["weights_sha256"][std::to_string(fold)] = sha256;
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void require_equal_settings(const fs::path& folder, const std::string& settings) {
  const fs::path file = folder / "validate.json";
  const char* const how = "--overwrite starts anew, --out names another folder.";
  if (!fs::exists(file)) {
    if (fs::exists(folder / "scores.json"))
      throw Error(
          folder.string() + " holds a validation that says not how it was made: " + file.string() + " is not there",
          how);
    return;  // nothing was begun
  }
  const JsonNode before = JsonNode::read(file, how);
  const Json wanted = Json::parse(settings);
  for (const auto& [key, value] : wanted.items()) {
    const auto there = before.find(key);
    if (!there || there->raw() != value)
      throw Error(folder.string() + " was validated with another " + key + ": " +
                      (there ? there->raw().dump() : "none") + " there, " + value.dump() + " now",
                  "Use the same settings to go on; or: " + std::string(how));
  }
}

}  // namespace nephron::host
