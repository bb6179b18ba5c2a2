#include <host/train/results.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>

#include <host/metrics/dice.hpp>
#include <host/util/progress.hpp>
#include <host/util/shell_word.hpp>

namespace nephron::host {

namespace {

/// One of a fold's figures over the folds that have it; nothing for fewer than two.
void print_spread(const FoldResults& results, const char* name, double TrainProgress::*figure) {
  std::vector<double> values;
  for (const auto& [fold, result] : results)
    if (const double v = result.progress.*figure; v >= 0) values.push_back(v);
  if (values.size() < 2) return;
  const Spread spread = spread_of(values);
  std::printf("mean of %s Dice %.4f, deviation %.4f\n", name, spread.mean, spread.deviation);
}

/// Of each class, over the folds that say it.
void print_classes(const FoldResults& results, const std::vector<std::string>& classes, bool averaged) {
  struct Column {
    const char* name;
    std::vector<double> TrainProgress::*dice;
  };
  std::vector<Column> columns{{"best Dice", &TrainProgress::best_dice_of}, {"last Dice", &TrainProgress::last_dice_of}};
  if (averaged) columns.push_back({"averaged", &TrainProgress::average_dice_of});
  std::size_t width = 5;
  for (const std::string& name : classes) width = std::max(width, name.size());
  std::string text(width, ' ');
  text.replace(0, 5, "class");
  for (const Column& column : columns) {
    char cell[64];
    std::snprintf(cell, sizeof cell, " %17s", column.name);
    text += cell;
  }
  for (std::size_t c = 0; c < classes.size(); ++c) {
    text += "\n" + classes[c] + std::string(width - classes[c].size(), ' ');
    for (const Column& column : columns) {
      std::vector<double> values;
      for (const auto& [fold, result] : results)
        if (const auto& dice = result.progress.*column.dice; c < dice.size() && !std::isnan(dice[c]))
          values.push_back(dice[c]);
      const Spread spread = spread_of(values);
      char cell[64] = "                 -";
      if (values.size() == 1) std::snprintf(cell, sizeof cell, " %17.4f", spread.mean);
      if (values.size() > 1) std::snprintf(cell, sizeof cell, " %8.4f +- %.4f", spread.mean, spread.deviation);
      text += cell;
    }
  }
  std::printf("%s\n", text.c_str());
}

}  // namespace

void print_table(const FoldResults& results, const std::vector<std::string>& classes) {
  const bool averaged =
      std::any_of(results.begin(), results.end(), [](const auto& r) { return r.second.progress.averaged > 0; });
  if (std::any_of(results.begin(), results.end(), [](const auto& r) { return r.second.progress.last_dice >= 0; }))
    std::printf("Dice of %s\n", results.front().second.progress.validated_on == "tiles"
                                    ? "the validation tiles"
                                    : "whole held-out slides, cut and joined as predict does");
  std::printf("%5s %7s %10s %7s %10s%s %9s %8s %9s\n", "fold", "epochs", "best Dice", "epoch", "last Dice",
              averaged ? "   averaged" : "", "tiles/s", "waited", "time");
  const auto number = [](double v, const char* format) {
    char text[32] = "-";
    if (v >= 0) std::snprintf(text, sizeof text, format, v);
    return std::string(text);
  };
  for (const auto& [fold, result] : results) {
    const TrainProgress& p = result.progress;
    std::printf("%5d %7lld %10s %7lld %10s", fold, static_cast<long long>(p.epoch), number(p.best_dice, "%.4f").c_str(),
                static_cast<long long>(p.best_epoch), number(p.last_dice, "%.4f").c_str());
    if (averaged) std::printf(" %10s", number(p.average_dice, "%.4f").c_str());
    std::printf(" %9.1f %7.1f%% %9s\n", result.tiles_per_s, 100 * result.waited, duration_text(p.seconds).c_str());
  }
  if (!std::all_of(results.begin(), results.end(), [](const auto& r) { return r.second.finished; })) {
    std::printf("not finished: no means\n");
    return;
  }
  print_spread(results, "best", &TrainProgress::best_dice);
  print_spread(results, "last", &TrainProgress::last_dice);
  if (averaged) print_spread(results, "averaged", &TrainProgress::average_dice);
  if (classes.size() > 1 && !results.empty()) print_classes(results, classes, averaged);
}

namespace {

std::string resume_command(const RunFolder& run, const std::string& options) {
  return "nephron train --resume " + shell_word(run.folder().string()) + (options.empty() ? "" : " " + options);
}

}  // namespace

std::string how_to_go_on_after_pause(const RunFolder& run, std::int64_t epoch, std::int64_t epochs,
                                     const std::string& options) {
  return "paused after epoch " + std::to_string(epoch) + " of " + std::to_string(epochs) +
         " (--until-epoch); go on with: " + resume_command(run, options);
}

std::string how_to_go_on(const RunFolder& run, const std::string& options) {
  std::string text = "interrupted; go on with: " + resume_command(run, options);
  for (const int k : run.folds())
    if (run.fold(k).has_checkpoint("last") && !run.fold(k).has_checkpoint("best"))
      text += "\n  fold " + std::to_string(k) +
              " was not validated yet, so it has no \"best\" weights; --checkpoint last takes what there is";
  return text;
}

}  // namespace nephron::host
