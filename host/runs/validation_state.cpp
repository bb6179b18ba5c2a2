#include <host/runs/validation_state.hpp>

#include <algorithm>
#include <limits>
#include <system_error>
#include <vector>

#include <nephron/error.hpp>

#include <host/runs/fold_number.hpp>
#include <host/util/listed.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

std::vector<int> numbers(const JsonNode& list) {
  std::vector<int> out;
  for (const JsonNode& k : list.items()) out.push_back(static_cast<int>(k.integer(0, std::numeric_limits<int>::max())));
  std::sort(out.begin(), out.end());
  return out;
}

bool cut_short(const JsonNode& scores) {
  const auto complete = scores.find("complete");
  return complete && !complete->boolean();
}

}  // namespace

std::string checkpoint_now(const FoldFolder& fold, const std::string& which) {
  if (!fold.has_checkpoint(which)) return {};
  std::error_code failed;  // the link moves on while a run is trained
  const fs::path file = fs::canonical(fold.weights(which), failed);
  return failed ? std::string() : file.parent_path().filename().string();
}

std::string weights_since(const fs::path& run, const JsonNode& scores) {
  const auto measured = scores.find("weights");
  if (!measured) return {};
  const std::string which = scores.at("checkpoint").text();
  std::string out;
  for (const auto& [fold, step] : measured->members()) {
    const fs::path folder = run / ("fold-" + fold);
    const auto k = fold_number(folder);
    if (!k) step.refuse("is of no fold");
    const std::string now = checkpoint_now({folder, *k}, which);
    if (!now.empty() && now != step.text())
      out += (out.empty() ? "" : "; ") + ("fold " + fold) + " at " + step.text() + ", which is at " + now + " now";
  }
  return out;
}

bool is_validated(const fs::path& run) {
  std::error_code failed;
  return fs::exists(validation_scores(run), failed) && !cut_short(JsonNode::read(validation_scores(run)));
}

std::string validation_fault(const fs::path& run, const JsonNode& scores) {
  if (cut_short(scores)) return "cut short";
  if (const std::string since = weights_since(run, scores); !since.empty()) return "of older weights: " + since;
  const auto measured = scores.find("folds");
  if (!measured || !fs::exists(run / "environment.json")) return {};
  const auto trained = JsonNode::read(run / "environment.json").find("folds");
  const std::vector<int> folds = numbers(*measured);
  if (!trained || numbers(*trained) == folds) return {};
  return (folds.size() == 1 ? "only fold " : "only folds ") + listed(folds);
}

}  // namespace nephron::host
