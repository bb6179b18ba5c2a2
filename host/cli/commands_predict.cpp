#include <cstdio>
#include <memory>

#include <nephron/error.hpp>

#include <host/cli/command.hpp>
#include <host/cli/metric_options.hpp>
#include <host/cli/named_run.hpp>
#include <host/metrics/pooled_values.hpp>
#include <host/predict/gathered_shares.hpp>
#include <host/predict/kept.hpp>
#include <host/predict/named_network.hpp>
#include <host/predict/predict_share.hpp>
#include <host/predict/worker.hpp>
#include <host/util/child_process.hpp>
#include <host/util/command_output.hpp>
#include <host/util/printable.hpp>
#include <host/util/text_table.hpp>
#include <host/util/usage_error.hpp>

namespace nephron::host {
namespace {

const CLI::Validator threshold_value(
    [](std::string& text) {
      if (text == "search" || text == "validated") return std::string();
      return CLI::Range(0.0, 1.0)(text).empty() ? std::string()
                                                : "expected a number from 0 to 1, \"search\" or \"validated\"";
    },
    "0..1|search|validated", "threshold");

const std::vector<std::filesystem::path> prediction_parts{"probabilities", "masks",    "levels",    "truth", "ignored",
                                                          "pictures",      "rle",      "geojson",   "coco",  "objects",
                                                          "tta",           "measures", "unmeasured"};

/// Folders alone may be those that an earlier call made before it failed or was killed, and files with a dot before
/// their name what it tried there.
bool holds_files(const std::filesystem::path& folder) {
  std::error_code none;
  for (std::filesystem::recursive_directory_iterator it(folder, none), end; !none && it != end; it.increment(none))
    if (!it->is_directory(none) && !it->path().filename().string().starts_with(".")) return true;
  return false;
}

/// Predicted masks among somebody's true ones could not be told apart again.
void require_own_parts(const std::filesystem::path& out) {
  if (std::filesystem::exists(out / "predict.json")) return;
  std::error_code none;
  for (const std::filesystem::path& part : prediction_parts)
    if (holds_files(out / part))
      throw Error((out / part).string() + " is there already, and no prediction made it",
                  "name another folder for --out");
}

/// Of a process that --jobs or --devices started.
struct PredictWorker {
  bool works = false;
  std::string device;
  int threads = 0;
};

/// What is meant, by a path: another run may be the latest a moment later.
std::filesystem::path found_run(const std::filesystem::path& named) { return NamedNetwork::of(named).place; }

/// A share has a folder of its own, with which it goes on when it is called again.
void take_share(PredictRequest& request, const WorkShare& share) {
  if (share.is_all()) return;
  request.out = share_folder(request.out, share);
  request.go_on = true;
}

/// Shares of one prediction and another prediction in one folder could not be told apart.
void require_no_prediction(const PredictRequest& request, const WorkShare& share) {
  if (!share.is_all() && std::filesystem::exists(request.out / "predict.json"))
    throw Error(request.out.string() + " holds a prediction already",
                "Name another folder for --out; what is missing in this one, --continue predicts.");
}

int run_predict(PredictRequest& request, const PredictPart& part, const PredictWorker& worker) {
  const int named = int(!request.images.empty()) + int(!request.slides.empty()) + int(!request.dataset.empty());
  if (named > 1) throw UsageError("--images, --slides and --dataset exclude each other: name one of them");
  if (named == 0)
    throw UsageError(
        "name what to predict: --images DIR for a folder of pictures, --slides FILE..., or --dataset NAME");
  if (worker.works) {
    take_share(request, part.share);
    request.device = worker.device, request.threads = worker.threads;
    return predict_for_parent(request);
  }
  require_named_run(request.run);
  request.run = found_run(request.run);
  request.command = own_command();
  std::vector<std::filesystem::path> inputs = request.slides;
  if (!request.images.empty()) inputs.push_back(request.images);
  if (!request.masks.empty()) inputs.push_back(request.masks);
  require_output_folder(request.out, inputs, prediction_parts);
  require_own_parts(request.out);
  require_no_prediction(request, part.share);
  take_share(request, part.share);
  const PredictOutcome outcome = predict(request, part);
  print(outcome.scores.table(outcome.reduced));
  if (!outcome.scores.values.empty())
    print("\n" + table_text(value_rows(outcome.scores.values, outcome.scores.classes)));
  const std::size_t failures = outcome.scores.failures.size();
  const auto predicted = static_cast<long long>(outcome.predicted), skipped = static_cast<long long>(outcome.skipped);
  std::printf(part.gather ? "put together; predicted %lld %s" : "predicted %lld %s", predicted,
              predicted == 1 ? "picture" : "pictures");
  if (skipped > 0) std::printf(", %lld %s finished before", skipped, skipped == 1 ? "was" : "were");
  if (failures > 0) std::printf(", %zu failed (why stands above, and in scores.json)", failures);
  std::printf(": %s\n", request.out.c_str());
  return failures > 0 ? Exit::failed : Exit::done;
}

void add_predict(CLI::App& app, int& exit) {
  CLI::App* const command = app.add_subcommand("predict", "Segment pictures with a trained run");
  auto request = std::make_shared<PredictRequest>();
  auto part = std::make_shared<PredictPart>();
  auto worker = std::make_shared<PredictWorker>();
  command
      ->add_option("RUN", request->run,
                   "Run: its folder, runs/EXPERIMENT for the latest, a fold's folder, a checkpoint's, or a name "
                   "(docs/runs.md); or an experiment file whose model.weights are the network's")
      ->required();
  CLI::Option* const with = command->add_option(
      "--with", request->with, "Other runs, whose probabilities are joined with RUN's at the pictures' own size");
  command->add_option("--shares", request->shares, "Of RUN and each of --with, comma-separated [equal]")
      ->delimiter(',')
      ->check(CLI::PositiveNumber)
      ->needs(with);
  command->add_option("--join", "mean: of the probabilities; vote: the share of runs above the threshold")
      ->check(CLI::IsMember({"mean", "vote"}))
      ->needs(with)
      ->each([request](const std::string& how) { request->vote = how == "vote"; });
  command->add_option("--images", request->images, "Folder of PNG, JPEG or TIFF pictures of any size")
      ->check(CLI::ExistingDirectory);
  command->add_option("--slides", request->slides, "Slide or picture files, of any size")->check(CLI::ExistingFile);
  command->add_option(
      "--dataset", request->dataset,
      "The slides of a dataset of the run's experiment, by name or type; their annotations are the truth");
  command->add_option("--out", request->out, "Folder for probabilities, masks and scores")->required();
  command
      ->add_option(
          "--save", request->save,
          "What is written, comma-separated: maps of probabilities, tta (the map of each flip alone), masks, rle "
          "(run lengths of masks, a text file each), submission (submission.csv of all, as Kaggle wants it), "
          "geojson (objects for QuPath), coco (objects of each picture, and coco.json of all), objects (tables "
          "of them)")
      ->delimiter(',')
      ->check(CLI::IsMember(std::vector<std::string>(std::begin(kept_words), std::end(kept_words))))
      ->capture_default_str();
  command
      ->add_option(
          "--maps", request->maps,
          "How maps are written: png; tiff: tiled, with its reductions, for viewers of slides; tiff16: the same "
          "in 16-bit floating point; auto: png up to 134 million pixels, tiff beyond")
      ->check(CLI::IsMember({"auto", "png", "tiff", "tiff16"}))
      ->capture_default_str();
  CLI::Option* const masks =
      command->add_option("--masks", request->masks, "Folder of true masks, or of a folder a class: prints the Dice")
          ->excludes("--dataset")
          ->check(CLI::ExistingDirectory);
  command
      ->add_option(
          "--masks-as", request->masks_as,
          "How masks are named and coded: a dataset of the experiment, or \"plain\" (ID.png, foreground is what "
          "is not black) [the one dataset that reads masks, else plain]")
      ->needs(masks);
  command->add_option("--fold", request->fold,
                      "One fold, or \"all\": the mean of all folds [the fold that RUN names, else all]");
  command->add_option("--checkpoint", request->checkpoint, "Which weights")
      ->check(CLI::IsMember({"best", "last", "average"}))
      ->capture_default_str();
  CLI::Option* const device =
      command->add_option("--device", request->device, "auto, cpu, cuda or cuda:N")->capture_default_str();
  command->add_option("--precision", request->precision, "Of the convolutions")
      ->check(CLI::IsMember({"fp32", "bf16", "fp16"}))
      ->capture_default_str();
  command->add_option("--tta", request->tta, "Flips to average over, comma-separated [the experiment's]")
      ->delimiter(',')
      ->check(CLI::IsMember({"identity", "flip_x", "flip_y", "flip_xy"}));
  command
      ->add_option(
          "--threshold", request->threshold,
          "Of the masks; \"search\": the best for all pictures with a true mask together; \"validated\": the best "
          "for the slides that the run's folds held out, as nephron validate found it [the experiment's]")
      ->check(threshold_value);
  CLI::Option* const tile =
      command->add_option("--tile", request->tile, "Side of a tile, px at the reduced level [the experiment's]")
          ->check(CLI::PositiveNumber);
  command
      ->add_option("--overlap", request->overlap,
                   "Tiles start 1/overlap of a tile apart; 1: none overlap [the experiment's]")
      ->check(CLI::Range(1.0, 16.0));
  command
      ->add_option("--blending",
                   "How pixels of tiles that overlap count: pyramid: by their distance to the tile's border; gaussian: "
                   "by a bell whose deviation is an eighth of the tile [pyramid]")
      ->check(CLI::IsMember({"pyramid", "gaussian"}))
      ->each([request](const std::string& how) { request->gaussian = how == "gaussian"; });
  command
      ->add_option("--mpp", request->pictures_mpp,
                   "Microns per pixel of pictures that do not say it, for a run that was trained with data.mpp")
      ->check(CLI::Range(0.001, 1000.0));
  command
      ->add_option("--factor", request->factor,
                   "Reduction of the pictures [the experiment's, or what brings each to its data.mpp]")
      ->check(CLI::Range(1, 64));
  command->add_option("--least-area", request->least_area, "Objects of fewer pixels are no objects; masks keep them")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 40))
      ->capture_default_str();
  command->add_option("--fill-holes", request->fill_holes, "Holes in objects up to so many pixels are filled")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 40))
      ->capture_default_str();
  command->add_flag(
      "--all-tiles", request->all_tiles,
      "Predict tiles of nothing but glass too; without it they have probability 0 in pictures of more than "
      "64 tiles");
  command
      ->add_option("--compat",
                   "\"reference\": tiles are joined as the 4th place of HuBMAP joined them in 2021, in "
                   "half precision, the last tile of a row counting as often as its rule repeats it")
      ->check(CLI::IsMember({"reference"}))
      ->each([request](const std::string&) { request->as_reference = true; });
  command->add_option("--batch", request->batch, "Tiles at a time [the experiment's]")->check(CLI::Range(1, 4096));
  command->add_flag(
      "--full-size", request->full_size,
      "Cut tiles at the picture's own size, the factor times as wide, and reduce them one by one, in place "
      "of reducing the picture");
  command->add_flag("--whole", request->whole, "The whole reduced picture at once, where memory allows")
      ->excludes(tile);
  CLI::Option* const go_on = command->add_flag("--continue", request->go_on, "Predict only what is missing in --out");
  command->add_flag("--overwrite", request->overwrite, "Replace what is in --out")->excludes(go_on);
  CLI::Option* const overwrite = command->get_option("--overwrite");
  CLI::Option* const share =
      command
          ->add_option_function<std::string>(
              "--share", [part](const std::string& text) { part->share = WorkShare::parse(text, "--share"); },
              "Only the K-th of N shares of the pictures, into OUT/shares, for N processes, also on other machines")
          ->type_name("K/N")
          ->excludes(go_on)
          ->excludes(overwrite);
  command->add_flag("--gather", part->gather, "Put together what the shares have left: what one process would write")
      ->excludes(share)
      ->excludes(go_on)
      ->excludes(overwrite);
  command->add_flag("--strict", request->strict, "Stop at the first picture that cannot be read");
  command->add_option("--plugin", request->plugins, "A plugin file, besides those of the experiment")
      ->check(CLI::ExistingFile);
  add_metric_options(*command, request->metrics, request->set);
  CLI::Option* const jobs =
      command
          ->add_option(
              "--jobs", request->jobs,
              "Pictures that are predicted at a time, each in a process of its own with its share of the cores")
          ->check(CLI::Range(1, 256))
          ->capture_default_str();
  command->add_option("--devices", request->devices, "A process on each of these, in place of --device: cuda:0,cuda:1")
      ->delimiter(',')
      ->excludes(device)
      ->excludes(jobs);
  command->add_flag("--worker", worker->works)->group("");
  command->add_option("--worker-device", worker->device)->group("");
  command->add_option("--worker-threads", worker->threads)->group("");
  command->callback([request, part, worker, &exit] { exit = run_predict(*request, *part, *worker); });
}

NEPHRON_COMMAND("predict", 40, add_predict)

}  // namespace
}  // namespace nephron::host
