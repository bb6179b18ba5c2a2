#include <host/train/fold_report.hpp>

#include <cstdio>

#include <nlohmann/json.hpp>

#include <host/runs/process.hpp>
#include <host/util/files.hpp>

namespace nephron::host {

namespace {

std::string four_digits(double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%.4f", value);
  return text;
}

/// `prefix`: of the names.
void add_figures(MetricsLog::Values& line, const Validation& validation, const std::vector<std::string>& classes,
                 const std::string& prefix) {
  line.insert(line.end(), {{prefix + "val_loss", validation.loss}, {prefix + "dice", validation.mean_dice()}});
  for (std::size_t c = 0; c < validation.dice.size(); ++c) {
    line.emplace_back(prefix + "dice_" + classes[c], validation.dice[c]);
    line.emplace_back(prefix + "tile_dice_" + classes[c], validation.tile_dice[c]);
  }
}

}  // namespace

EpochReport::EpochReport(const FoldJob& job, const TrainProgress& progress, double train_loss)
    : line{{"epoch", static_cast<double>(progress.epoch)}, {"train_loss", train_loss}},
      text("fold " + std::to_string(job.folder.fold) + "  epoch " + std::to_string(progress.epoch + 1) + "/" +
           std::to_string(job.experiment.train.epochs) + "  loss " + four_digits(train_loss)) {}

void EpochReport::add(const Validation& validation, const std::vector<std::string>& classes, bool best) {
  add_figures(line, validation, classes, "");
  text += "  validation loss " + four_digits(validation.loss) + "  Dice " + four_digits(validation.mean_dice()) +
          (best ? "  (best)" : "");
}

void EpochReport::add_average(const Validation& validation, const std::vector<std::string>& classes) {
  add_figures(line, validation, classes, "average_");
  text += "  averaged " + four_digits(validation.mean_dice());
}

void write_done(const FoldFolder& folder, const FoldResult& result) {
  if (folder.finished()) return;  // resumed with nothing left to do
  const TrainProgress& p = result.progress;
  const nlohmann::ordered_json out{{"fold", folder.fold},
                                   {"steps", p.step},
                                   {"epochs", p.epoch},
                                   {"best_dice", p.best_dice},
                                   {"best_epoch", p.best_epoch},
                                   {"best_step", p.best_step},
                                   {"last_dice", p.last_dice},
                                   {"last_val_loss", p.last_val_loss},
                                   {"average_dice", p.average_dice},
                                   {"seconds", p.seconds},
                                   {"tiles_per_s", result.tiles_per_s},
                                   {"waited", result.waited},
                                   {"peak_rss_mb", peak_rss_mb()}};
  write_file_atomically(folder.done(), out.dump(2) + "\n");
}

}  // namespace nephron::host
