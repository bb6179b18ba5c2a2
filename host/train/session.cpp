#include <host/train/session.hpp>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <memory>
#include <optional>

#include <nephron/torch.hpp>

#include <host/config/load.hpp>
#include <host/config/show.hpp>
#include <host/feed/findings.hpp>
#include <host/feed/folds.hpp>
#include <host/feed/prepared.hpp>
#include <host/feed/shortfalls.hpp>
#include <host/metrics/dice.hpp>
#include <host/model/weights_there.hpp>
#include <host/runs/environment.hpp>
#include <host/runs/run.hpp>
#include <host/train/batch_augmentations.hpp>
#include <host/train/device.hpp>
#include <host/train/memory.hpp>
#include <host/train/network.hpp>
#include <host/train/scratch.hpp>
#include <host/train/trainer.hpp>
#include <host/util/files.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/log.hpp>
#include <host/util/progress.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

/// Few steps, everything else as it is.
void shrink(Experiment& e) {
  e.train.epochs = std::min(e.train.epochs, 2);
  e.train.steps_per_epoch = std::min(e.train.steps_per_epoch, 3 * e.train.accumulate);
}

std::vector<int> folds_asked(const std::string& text, int count) {
  std::vector<int> out;
  if (text == "all") {
    for (int k = 0; k < count; ++k) out.push_back(k);
    return out;
  }
  int k = -1;
  const auto [stop, failed] = std::from_chars(text.data(), text.data() + text.size(), k);
  if (failed != std::errc() || stop != text.data() + text.size() || k < 0 || k >= count)
    throw Error("--fold " + text + ": expected 0 to " + std::to_string(count - 1) +
                ", or \"all\" (data.folds.count is " + std::to_string(count) + ")");
  return {k};
}

struct Session {
  Experiment experiment;
  std::unique_ptr<Registry> registry;
  RunFolder run;
  std::vector<int> folds;
  std::unique_ptr<Listing> listing;
  Splits splits;
  bool resume = false;
};

void require_experiment_can(const Experiment& e, const std::string& device) {
  if (e.train.precision == "fp16" && device == "cpu") {
    const Value* const train = e.resolved.find("train");
    const Value* const at = train != nullptr ? train->find("precision") : nullptr;
    throw ConfigError(
        {{at != nullptr ? at->source : Source{}, "precision \"fp16\" needs a CUDA device; this run is on the CPU",
          "take \"bf16\" or \"fp32\", or name a device with --device cuda"}});
  }
}

Session start(const TrainRequest& request, const fs::path& runs, const c10::Device& device) {
  Session s;
  s.experiment = load_experiment(request.experiment, request.overrides, PluginSearch{request.plugins, {}}, s.registry);
  require_experiment_can(s.experiment, device.str());
  require_batch_augmentations_at_top(s.experiment, *s.registry);
  require_weights(s.experiment);
  require_training_memory(s.experiment, *s.registry, device);
  s.folds = folds_asked(request.debug && request.fold == "all" ? "0" : request.fold,
                        std::max(1, s.experiment.data.folds.count));
  if (request.debug) shrink(s.experiment);
  s.listing = std::make_unique<Listing>(s.experiment, *s.registry);
  s.splits = splits_of(*s.listing);
  require_annotated(*s.listing, *s.registry);
  require_held_out(*s.listing, s.splits, s.folds);
  require_writable(runs, std::size_t{1} << 20);
  s.run = RunFolder::create(runs, s.experiment.name);
  Value resolved = s.experiment.resolved;
  // A run holds all that it needs: plugins of the command line too.
  if (!request.plugins.empty()) {
    Value::Array files;
    if (const Value* const named = resolved.find("plugins"); named != nullptr && named->is(Value::Type::array))
      files = named->array();
    for (const fs::path& file : request.plugins) files.emplace_back(fs::absolute(file).lexically_normal().string());
    resolved.set("plugins", Value(std::move(files)));
  }
  // Folds too: those of this run, wherever it is moved to.
  if (!s.experiment.data.folds.file.empty())
    resolved.find("data")->find("folds")->set("file", s.run.splits().filename().string());
  write_splits(s.run.splits(), s.splits);
  write_file_atomically(s.run.environment(),
                        environment_json(s.experiment, *s.registry, {NEPHRON_TORCH_BUILD, device.str(), s.folds}));
  write_file_atomically(s.run.experiment(),
                        to_toml(resolved, /*origins=*/true));  // last: it makes the folder a run that --resume takes
  return s;
}

Session go_on(const TrainRequest& request) {
  Session s;
  s.run = RunFolder::open(request.resume);
  s.experiment = load_experiment(s.run.experiment(), request.overrides, PluginSearch{request.plugins, {}}, s.registry);
  s.folds =
      s.run.opened_fold() >= 0 ? std::vector<int>{s.run.opened_fold()} : folds_of_environment(s.run.environment());
  s.resume = true;
  s.listing = std::make_unique<Listing>(s.experiment, *s.registry);
  s.splits = fs::exists(s.run.splits()) ? splits_of_run(*s.listing, s.run.splits()) : splits_of(*s.listing);
  require_writable(s.run.folder(), std::size_t{1} << 20);
  // What has a checkpoint takes its weights from there.
  if (!std::all_of(s.folds.begin(), s.folds.end(), [&](int k) { return s.run.fold(k).has_checkpoint("last"); }))
    require_weights(s.experiment);
  return s;
}

/// Folds that were begun go on with the slides that they began with. A run of a version that did not write folds down
/// gets its file when they agree.
void settle_slides(const Session& s, const PreparedData& data) {
  for (const int fold : s.folds)
    if (const fs::path file = s.run.fold(fold).slides(); fs::exists(file))
      settle_fold_slides(file, s.experiment, data, slides_of(data, fold));
  if (!fs::exists(s.run.splits())) write_splits(s.run.splits(), s.splits);
}

void print_table(const std::vector<std::pair<int, FoldResult>>& results) {
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

/// An error that says nothing better, such as a full disk, says what is left.
FoldResult train_and_say_how_to_go_on(const FoldJob& job, const RunFolder& run) try {
  return train_fold(job);
} catch (const Cancelled&) {
  throw;
} catch (const ConfigError&) {
  throw;
} catch (const Error& e) {
  if (!e.hint().empty() || !job.folder.has_checkpoint("last")) throw;
  throw Error(e.what(), "the last checkpoint is whole; when this is mended, go on with: nephron train --resume " +
                            run.folder().string());
}

}  // namespace

int train(const TrainRequest& request) {
  constexpr int exit_done = 0, exit_interrupted = 130;
  keep_freed_memory();
  const c10::Device device = parse_device(request.device);
  std::optional<Scratch> scratch;
  if (request.debug) scratch.emplace();
  Session session =
      request.resume.empty() ? start(request, scratch ? scratch->folder() : request.runs, device) : go_on(request);
  const Experiment& experiment = session.experiment;
  if (session.resume) require_experiment_can(experiment, device.str());
  open_log_file(session.run.log());
  log().info((session.resume ? "resuming " : "run ") + session.run.folder().string() + " on " + device.str() + ", " +
             experiment.train.precision);
  set_torch_threads(experiment.train.threads);
  if (device.is_cuda()) set_deterministic(experiment.train.deterministic);

  const PreparedData data = prepare(*session.listing, session.splits, request.strict ? 0 : experiment.data.most_lost);
  warn_of_problems(data);
  for (const std::string& finding : file_findings(experiment, *session.registry, data.datasets).findings)
    log().warning(finding);
  for (const std::string& leak : leaks(experiment, data, session.folds)) log().warning(leak);
  for (const std::string& shortfall : shortfalls(experiment, data, session.folds)) log().warning(shortfall);
  for (const int fold : session.folds) require_left(data, session.splits, fold), require_unseen(data, fold);
  settle_slides(session, data);
  std::vector<std::pair<int, FoldResult>> results;
  for (const int fold : session.folds) {
    if (interrupted()) break;
    settle_fold_slides(session.run.fold(fold).slides(), experiment, data, slides_of(data, fold));
    const FoldJob job{experiment, *session.registry, data, session.run.fold(fold), device, session.resume};
    results.emplace_back(fold, train_and_say_how_to_go_on(job, session.run));
  }
  const bool finished = results.size() == session.folds.size() &&
                        std::all_of(results.begin(), results.end(), [](const auto& r) { return r.second.finished; });
  print_table(results);
  std::printf("%s\n", request.debug ? "nothing was kept (--debug)" : session.run.folder().c_str());
  std::fflush(stdout);
  warn_of_lost(data);
  if (finished) return exit_done;
  if (!request.debug) log().warning("interrupted; go on with: nephron train --resume " + session.run.folder().string());
  return exit_interrupted;
}

}  // namespace nephron::host
