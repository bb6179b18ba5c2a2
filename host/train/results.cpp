#include <host/train/results.hpp>

#include <cstdio>
#include <string>

#include <host/metrics/dice.hpp>
#include <host/util/progress.hpp>
#include <host/util/shell_word.hpp>

namespace nephron::host {

void print_table(const FoldResults& results) {
  std::printf("%5s %7s %10s %7s %10s %9s %8s %9s\n", "fold", "epochs", "best Dice", "epoch", "last Dice", "tiles/s",
              "waited", "time");
  std::vector<double> dice;
  const auto number = [](double v, const char* format) {
    char text[32] = "-";
    if (v >= 0) std::snprintf(text, sizeof text, format, v);
    return std::string(text);
  };
  for (const auto& [fold, result] : results) {
    const TrainProgress& p = result.progress;
    if (p.best_dice >= 0) dice.push_back(p.best_dice);
    std::printf("%5d %7lld %10s %7lld %10s %9.1f %7.1f%% %9s\n", fold, static_cast<long long>(p.epoch),
                number(p.best_dice, "%.4f").c_str(), static_cast<long long>(p.best_epoch),
                number(p.last_dice, "%.4f").c_str(), result.tiles_per_s, 100 * result.waited,
                duration_text(p.seconds).c_str());
  }
  const Spread spread = spread_of(dice);
  if (dice.size() > 1) std::printf("mean of best Dice %.4f, deviation %.4f\n", spread.mean, spread.deviation);
}

std::string how_to_go_on(const RunFolder& run) {
  std::string text = "interrupted; go on with: nephron train --resume " + shell_word(run.folder().string());
  for (const int k : run.folds())
    if (run.fold(k).has_checkpoint("last") && !run.fold(k).has_checkpoint("best"))
      text += "\n  fold " + std::to_string(k) +
              " was not validated yet, so it has no \"best\" weights; --checkpoint last takes what there is";
  return text;
}

}  // namespace nephron::host
