#include <host/predict/validated_thresholds.hpp>

#include <filesystem>
#include <system_error>

#include <host/runs/validation_state.hpp>
#include <host/util/checked_json.hpp>
#include <host/util/usage_error.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void refuse(const std::string& why, const std::string& remedy) {
  throw UsageError("--threshold validated: " + why, remedy);
}

/// The weights of a fold that are predicted with must be those whose answers the threshold was found on.
void require_measured(const JsonNode& scores, const FoldFolder& fold, const fs::path& weights,
                      const std::string& remedy) {
  const std::string k = std::to_string(fold.fold);
  const auto measured = scores.at("weights").find(k);
  if (!measured) refuse("fold " + k + " was not validated", remedy);
  const std::string which = scores.at("checkpoint").text();
  std::error_code failed;
  const fs::path now = fs::canonical(fold.weights(which), failed), used = fs::canonical(weights, failed);
  if (failed || now != used)
    refuse("the validation measured the " + which + " weights of fold " + k + ", not " + weights.string(),
           "Name them with --checkpoint " + which + ", or validate those that are meant: " + remedy);
  if (checkpoint_now(fold, which) != measured->text())
    refuse("fold " + k + " was trained further since it was validated at " + measured->text(), remedy);
}

}  // namespace

std::vector<double> validated_thresholds(const ChosenWeights& chosen, const std::vector<std::string>& classes) {
  const std::string remedy = "nephron validate " + chosen.run.string() + " --overwrite";
  if (chosen.folds.empty()) refuse(chosen.run.string() + " is no run: nothing says on what a threshold was found", "");
  const fs::path file = validation_scores(chosen.run);
  std::error_code none;
  if (!fs::exists(file, none))
    refuse(chosen.run.string() + " was not validated", "nephron validate " + chosen.run.string() + ", or a number.");
  const JsonNode scores = JsonNode::read(file, remedy);
  if (!scores.at("complete").boolean()) refuse("the validation of " + chosen.run.string() + " was cut short", remedy);
  const RunFolder run = RunFolder::open(chosen.run);
  for (std::size_t i = 0; i < chosen.folds.size(); ++i)
    require_measured(scores, run.fold(chosen.folds[i]), chosen.files.at(i), remedy);
  std::vector<double> out;
  for (const std::string& name : classes) {
    const auto searched = scores.at("dice_by_threshold").find(name);
    if (!searched) refuse("no slide of the validation says anything of the class \"" + name + "\"", "Give a number.");
    out.push_back(searched->at("best_threshold").number(0, 1));
  }
  return out;
}

}  // namespace nephron::host
