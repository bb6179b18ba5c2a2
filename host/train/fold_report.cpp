#include <host/train/fold_report.hpp>

#include <cstdio>

#include <nlohmann/json.hpp>

#include <host/runs/process.hpp>
#include <host/train/checkpoint.hpp>
#include <host/util/checked_json.hpp>
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

void EpochReport::add_best(const TrainProgress& progress, const std::vector<std::string>& classes) {
  line.emplace_back("best_dice", progress.best_dice);
  for (std::size_t c = 0; c < progress.best_dice_of.size(); ++c)
    line.emplace_back("best_dice_" + classes[c], progress.best_dice_of[c]);
}

void EpochReport::add_average(const Validation& validation, const std::vector<std::string>& classes) {
  add_figures(line, validation, classes, "average_");
  text += "  averaged " + four_digits(validation.mean_dice());
}

namespace {

struct Weights {
  const char* name;
  std::vector<double> TrainProgress::*dice;
};
constexpr Weights all_weights[] = {{"best", &TrainProgress::best_dice_of},
                                   {"last", &TrainProgress::last_dice_of},
                                   {"average", &TrainProgress::average_dice_of}};

}  // namespace

void write_done(const FoldFolder& folder, const FoldResult& result, const std::vector<std::string>& classes) {
  if (folder.finished()) return;  // resumed with nothing left to do
  const TrainProgress& p = result.progress;
  nlohmann::ordered_json by_class = nlohmann::ordered_json::object();
  for (std::size_t c = 0; c < classes.size(); ++c)
    for (const Weights& w : all_weights)
      if (c < (p.*w.dice).size()) by_class[classes[c]][w.name] = (p.*w.dice)[c];
  const nlohmann::ordered_json out{{"fold", folder.fold},
                                   {"steps", p.step},
                                   {"epochs", p.epoch},
                                   {"best_dice", p.best_dice},
                                   {"best_epoch", p.best_epoch},
                                   {"best_step", p.best_step},
                                   {"last_dice", p.last_dice},
                                   {"last_val_loss", p.last_val_loss},
                                   {"average_dice", p.average_dice},
                                   {"dice_by_class", by_class},
                                   {"validated_on", p.validated_on},
                                   {"seconds", p.seconds},
                                   {"tiles_per_s", result.tiles_per_s},
                                   {"waited", result.waited},
                                   {"peak_rss_mb", peak_rss_mb()}};
  write_file_atomically(folder.done(), out.dump(2) + "\n");
}

FoldResult read_done(const FoldFolder& folder, const std::vector<std::string>& classes) {
  const JsonNode json = JsonNode::read(folder.done(), "Remove the file, and --resume makes it anew.");
  constexpr std::int64_t most = std::int64_t{1} << 50;
  FoldResult out;
  TrainProgress& p = out.progress;
  p.step = json.at("steps").integer(0, most);
  p.epoch = json.at("epochs").integer(0, most);
  p.best_dice = json.at("best_dice").number(-1, 1);
  p.best_epoch = json.at("best_epoch").integer(0, p.epoch);
  p.best_step = json.at("best_step").integer(0, p.step);
  p.last_dice = json.at("last_dice").number(-1, 1);
  p.last_val_loss = json.at("last_val_loss").number();
  if (const auto dice = json.find("average_dice")) p.average_dice = dice->number(-1, 1);
  p.averaged = p.average_dice >= 0 ? 1 : 0;
  if (const auto on = json.find("validated_on")) p.validated_on = on->text();
  if (const auto by_class = json.find("dice_by_class"))
    for (const std::string& name : classes)
      for (const Weights& w : all_weights)
        if (const auto of_class = by_class->find(name))
          if (const auto dice = of_class->find(w.name)) (p.*w.dice).push_back(dice_of_class(*dice));
  p.seconds = json.at("seconds").number(0, 1e12);
  p.finished = out.finished = true;
  out.tiles_per_s = json.at("tiles_per_s").number(0, 1e12);
  out.waited = json.at("waited").number(0, 1);
  return out;
}

}  // namespace nephron::host
