#include <host/registry/fold_figures.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>

#include <host/registry/metrics_tail.hpp>
#include <host/util/checked_json.hpp>

namespace nephron::host {

namespace {

bool there(const std::filesystem::path& file) {
  std::error_code failed;
  return std::filesystem::exists(file, failed);
}

std::string dice_of_fold(const FoldFolder& fold) { return "fold." + std::to_string(fold.fold) + ".dice"; }

}  // namespace

void add_mean(Facts& facts, const std::string& key, const std::vector<double>& values) {
  if (values.empty()) return;
  double sum = 0, squares = 0;
  for (const double v : values) sum += v;
  const double mean = sum / static_cast<double>(values.size());
  for (const double v : values) squares += (v - mean) * (v - mean);
  facts.push_back({key, mean});
  if (key == "dice" && values.size() > 1)
    facts.push_back({"dice_sd", std::sqrt(squares / static_cast<double>(values.size()))});
}

void FoldFigures::read(const FoldFolder& fold, Facts& facts) {
  if (there(fold.done())) add_done(fold, facts);
  else if (there(fold.metrics())) add_unfinished(fold, facts);
}

void FoldFigures::add_done(const FoldFolder& fold, Facts& facts) {
  const JsonNode json = JsonNode::read(fold.done());
  const auto number = [&](const char* key) {
    const auto found = json.find(key);
    return found && found->raw().is_number() ? std::optional(found->number()) : std::nullopt;
  };
  ++done;
  // Below 0: nothing was validated.
  for (const auto& [key, as] :
       {std::pair{"best_dice", "dice"}, std::pair{"last_dice", "last_dice"}, std::pair{"average_dice", "average_dice"},
        std::pair{"last_val_loss", "val_loss"}, std::pair{"epochs", "epoch"}, std::pair{"best_epoch", "best_epoch"},
        std::pair{"tiles_per_s", "tiles_per_s"}, std::pair{"waited", "waited"}})
    if (const auto value = number(key); value && *value >= 0) add(as, *value);
  steps += number("steps").value_or(0);
  seconds += number("seconds").value_or(0);
  peak = std::max(peak, number("peak_rss_mb").value_or(0));
  if (const auto dice = number("best_dice"); dice && *dice >= 0) facts.push_back({dice_of_fold(fold), *dice});
  if (const auto classes = json.find("dice_by_class"))
    for (const auto& [name, of_class] : classes->members())
      if (const auto best = of_class.find("best"); best && best->raw().is_number()) add("dice." + name, best->number());
}

void FoldFigures::add_unfinished(const FoldFolder& fold, Facts& facts) {
  const MetricsTail tail = read_metrics_tail(fold.metrics());
  steps += static_cast<double>(tail.step.value_or(0));
  if (tail.last)
    for (const auto& [name, value] : *tail.last)
      for (const char* key : {"loss", "lr", "tiles_per_s", "waited"})
        if (name == key) add(name, value);
  if (!tail.validation) return;
  // The best so far, as of a fold that is done; of runs of before, which did not write it down, the last.
  const bool knows_best = std::any_of(tail.validation->begin(), tail.validation->end(),
                                      [](const auto& entry) { return entry.first == "best_dice"; });
  const std::string dice = knows_best ? "best_dice" : "dice";
  for (const auto& [name, value] : *tail.validation) {
    if (name == dice) {
      add("dice", value);
      facts.push_back({dice_of_fold(fold), value});
    }
    if (name == "dice") add("last_dice", value);
    if (name == "val_loss" || name == "train_loss") add(name, value);
    if (name == "epoch") add("epoch", value + 1);
    if (name.starts_with(dice + "_")) add("dice." + name.substr(dice.size() + 1), value);
    if (name == "peak_rss_mb") peak = std::max(peak, value);
  }
}

}  // namespace nephron::host
