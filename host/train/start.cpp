#include <host/train/start.hpp>

#include <algorithm>
#include <charconv>
#include <set>

#include <nephron/torch.hpp>

#include <host/config/changes.hpp>
#include <host/config/load.hpp>
#include <host/config/resolved_file.hpp>
#include <host/config/run_experiment.hpp>
#include <host/data/findings.hpp>
#include <host/data/parameter_check.hpp>
#include <host/device/device.hpp>
#include <host/device/torch_state.hpp>
#include <host/model/weights_there.hpp>
#include <host/runs/cost_record.hpp>
#include <host/runs/ended.hpp>
#include <host/runs/files_of_start.hpp>
#include <host/runs/fold_number.hpp>
#include <host/runs/next_run.hpp>
#include <host/train/checkpoint_files.hpp>
#include <host/train/fold_processes.hpp>
#include <host/train/memory.hpp>
#include <host/train/part_checks.hpp>
#include <host/train/reference_batches.hpp>
#include <host/train/run_snapshot.hpp>
#include <host/train/warm_start.hpp>
#include <host/util/counted.hpp>
#include <host/util/files.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/listed.hpp>
#include <host/util/log.hpp>
#include <host/util/mapped_places.hpp>
#include <host/util/printable.hpp>
#include <host/util/shell_word.hpp>
#include <host/util/usage_error.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t some_space = std::size_t{1} << 20;

/// Few steps, everything else as it is.
void shrink(Experiment& e) {
  e.train.epochs = std::min(e.train.epochs, 2);
  e.train.steps_per_epoch = std::min(e.train.steps_per_epoch, 3 * e.train.accumulate);
}

/// In the order of their numbers.
std::vector<int> folds_asked(const TrainRequest& request, const Experiment& experiment) {
  const std::string text = request.debug && request.fold == "all" ? "0" : request.fold;
  const int count = std::max(1, experiment.data.folds.count);
  std::set<int> out;
  for (int k = 0; k < count && text == "all"; ++k) out.insert(k);
  if (text == "all") return {out.begin(), out.end()};
  const char* const end = text.data() + text.size();
  for (const char* at = text.data(); at <= end;) {
    int k = -1;
    const auto [stop, failed] = std::from_chars(at, end, k);
    if (failed != std::errc() || (stop != end && *stop != ',') || k < 0 || k >= count)
      throw UsageError("--fold " + text + ": expected 0 to " + std::to_string(count - 1) +
                           ", several with \",\" between them, or \"all\"",
                       "data.folds.count is " + std::to_string(count));
    if (!out.insert(k).second)
      throw UsageError("--fold " + text + " names fold " + std::to_string(k) + " twice", "each fold is trained once");
    at = stop + 1;
  }
  return {out.begin(), out.end()};
}

/// Folds that are trained at a time on one device.
int together(const TrainRequest& request, const Experiment& experiment) {
  return std::min(JobPlan::of(request.devices, request.jobs, request.device).together(),
                  static_cast<int>(folds_asked(request, experiment).size()));
}

/// The batch that fits, and as many steps as give an epoch its samples.
std::vector<std::string> fitting_overrides(const Experiment& e, const Registry& registry, const c10::Device& device,
                                           int together) {
  const int batch = fitting_batch(e, registry, device, together);
  const std::int64_t samples = std::int64_t{e.train.batch} * e.train.steps_per_epoch;
  const std::int64_t steps = std::max<std::int64_t>(e.train.accumulate, (samples + batch / 2) / batch);
  log().info("train.batch = " + std::to_string(batch) + " fits into the memory that is free (--batch auto), with " +
             counted(steps, "batch", "batches") + " an epoch in place of " + std::to_string(e.train.steps_per_epoch) +
             " of " + std::to_string(e.train.batch) + "; train.optimizer.lr stays " +
             short_number(e.train.optimizer.lr) + ", which was chosen for " + std::to_string(e.train.batch));
  return {"train.batch=" + std::to_string(batch), "train.steps_per_epoch=" + std::to_string(steps)};
}

Experiment load_new(const TrainRequest& request, std::unique_ptr<Registry>& registry) {
  return load_experiment(request.experiment, request.overrides, PluginSearch{request.plugins, {}}, registry,
                         [](const Experiment& e, const Registry& of, Diagnostics& faults) {
                           check_parameters(e, of, faults);
                           check_parts(e, of, faults);
                         });
}

/// What this run's device and processes cannot do.
void require_experiment_can(const Experiment& e, const c10::Device& device, int ranks) {
  const auto fault = [&](const char* key, const std::string& what, const std::string& hint) {
    const Value* const train = e.resolved.find("train");
    const Value* const at = train != nullptr ? train->find(key) : nullptr;
    throw ConfigError({{at != nullptr ? at->source : Source{}, what, hint}});
  };
  if (e.train.precision == "fp16" && device.is_cpu())
    fault("precision", "precision \"fp16\" needs a CUDA device; this run is on the CPU",
          "take \"bf16\" or \"fp32\", or name a device with --device cuda");
  if (e.train.cuda_graph && ranks > 1)
    fault("cuda_graph",
          "\"cuda_graph\" records the work of one process, and " + std::to_string(ranks) +
              " ranks train together: logits and gradients travel between them in the middle of it",
          "leave it out: --set train.cuda_graph=false");
  if (e.train.cuda_graph && device.is_cpu())
    fault("cuda_graph", "\"cuda_graph\" needs a CUDA device; this run is on the CPU",
          "name a device with --device cuda, or leave it out: --set train.cuda_graph=false");
}

/// As a run writes down where a value comes from that is in no file.
Value made_by(const char* origin, Value value) {
  value.source.file = std::make_shared<const std::string>(origin);
  return value;
}

/// A run holds all that it needs: plugins of the command line, and its own folds, wherever it is moved to.
void keep_all_that_it_needs(Experiment& e, const std::vector<fs::path>& plugins, const RunFolder& run) {
  if (!plugins.empty()) {
    Value::Array files;
    if (const Value* const named = e.resolved.find("plugins"); named != nullptr && named->is(Value::Type::array))
      files = named->array();
    for (const fs::path& file : plugins) files.emplace_back(fs::absolute(file).lexically_normal().string());
    e.resolved.set("plugins", made_by("--plugin", std::move(files)));
  }
  if (!e.data.folds.file.empty())
    e.resolved.find("data")->find("folds")->set("file", made_by(origin_of_this_file, run.splits().filename().string()));
}

SessionFacts facts_of(const TrainRequest& request, const c10::Device& device) {
  std::string devices;
  for (const std::string& d : request.devices) devices += (devices.empty() ? "" : ", ") + d;
  SessionFacts out{NEPHRON_TORCH_BUILD, devices.empty() ? device.str() : devices, request.overrides, request.plugins};
  out.rerun_of = request.rerun_of;
  return out;
}

/// Measures what this process takes from here on. `folds`: that are trained.
std::unique_ptr<CostMeter> cost_meter(const TrainRequest& request, const c10::Device& device, std::size_t folds) {
  const JobPlan plan = JobPlan::of(request.devices, request.jobs, device.str()).for_pieces(folds);
  std::vector<std::string> held;
  for (const std::string& place : plan.devices)
    if (const c10::Device each = parse_device(place); each.is_cuda())
      if (std::find(held.begin(), held.end(), each.str()) == held.end()) held.push_back(each.str());
  return std::make_unique<CostMeter>(std::move(held), plan.together(), request.ranks);
}

/// That of a fold which is to be trained, of a run that is there: processes that share a run each hold their fold's.
void make_folder_of_fold(const fs::path& named) {
  const fs::path fold = fs::absolute(named).lexically_normal(), run = fold.parent_path();
  const auto k = fold_number(fold);
  if (!k || !fs::exists(run / "experiment.resolved.toml")) return;  // which open() tells of
  const std::vector<int> folds = folds_of_environment(run / "environment.json");
  if (std::find(folds.begin(), folds.end(), *k) == folds.end())
    throw UsageError(run.string() + " has no fold " + std::to_string(*k) + ": it was started for " +
                     (folds.size() == 1 ? "fold " : "folds ") + listed(folds));
  std::error_code failed;
  fs::create_directory(fold, failed);  // what keeps it from being written into, its lock tells
}

/// The experiment of a run with what the command line changes, which must not matter.
Experiment load_again(const TrainRequest& request, const RunFolder& run, std::unique_ptr<Registry>& registry) {
  const PluginSearch search{request.plugins, {}};
  Experiment written = load_run_experiment(run.experiment(), {}, search, registry);
  if (request.overrides.empty()) return written;
  Experiment out = load_run_experiment(run.experiment(), request.overrides, search, registry);
  std::string command =
      "nephron train " + shell_word(run.experiment().string()) + " --from " + shell_word(run.folder().string());
  for (const std::string& setting : request.overrides) command += " --set " + shell_word(setting);
  require_same_results(written, out, RegistryComponents(*registry), "a new run may begin with its weights: " + command);
  return out;
}

void tell(const std::vector<PluginChange>& changes) {
  for (const PluginChange& c : changes)
    log().warning("plugin \"" + c.plugin + "\" (" + c.file.string() + ") " +
                  (c.was.empty() ? "was not used when this run began"
                                 : "is another file than when this run began (SHA-256 " + c.was.substr(0, 12) +
                                       " then, " + c.now.substr(0, 12) + " now)") +
                  ": what follows may differ from what an unbroken run gives");
}

}  // namespace

Session Session::start(const TrainRequest& asked, const fs::path& runs, const c10::Device& device) {
  Session s;
  TrainRequest request = asked;
  s.writes_ = request.writes;
  s.keeps_snapshot_ = !request.debug;
  s.experiment_ = load_new(request, s.registry_);
  // What is measured of a step, below, takes no more cores than the training.
  set_torch_threads(s.experiment_.train.threads);
  if (request.reference_batch) {
    // What the command line says itself goes before the table.
    const std::vector<std::string> usual = reference_batches(s.experiment_);
    request.overrides.insert(request.overrides.begin(), usual.begin(), usual.end());
    s.experiment_ = load_new(request, s.registry_);
  }
  if (request.auto_batch) {
    const std::vector<std::string> fitting =
        fitting_overrides(s.experiment_, *s.registry_, device, together(request, s.experiment_));
    request.overrides.insert(request.overrides.end(), fitting.begin(), fitting.end());
    s.experiment_ = load_new(request, s.registry_);
  }
  require_experiment_can(s.experiment_, device, request.ranks);
  s.folds_ = folds_asked(request, s.experiment_);
  if (request.from.empty()) require_weights(s.experiment_);
  else s.from_ = find_origins(request.from, request.checkpoint, s.folds_);
  if (!request.elsewhere)
    require_training_memory(s.experiment_, *s.registry_, device, together(request, s.experiment_));
  if (request.debug) shrink(s.experiment_);
  s.listing_ = std::make_unique<Listing>(s.experiment_, *s.registry_);
  s.splits_ = splits_of(*s.listing_);
  require_annotated(*s.listing_, *s.registry_);
  require_held_out(*s.listing_, s.splits_, s.folds_);
  if (s.writes_) require_writable(runs, some_space);
  if (!request.into.empty()) name_next_run(request.into);
  s.run_ = RunFolder::propose(runs, s.experiment_.name);
  keep_all_that_it_needs(s.experiment_, request.plugins, s.run_);
  s.facts_ = facts_of(request, device);
  if (s.writes_ && !request.leave_waiting) s.cost_ = cost_meter(request, device, s.folds_.size());
  return s;
}

Session Session::go_on(const TrainRequest& request, const c10::Device& device) {
  Session s;
  s.writes_ = request.writes;
  s.shares_ = request.share_run;
  if (s.shares_) make_folder_of_fold(request.resume);
  s.run_ = RunFolder::open(request.resume);
  if (s.shares_ && s.run_.opened_fold() < 0)
    throw UsageError("--share-run trains one fold of a run, beside others: " + request.resume.string() + " names none",
                     "nephron train --share-run --resume RUN/fold-K");
  s.experiment_ = load_again(request, s.run_, s.registry_);
  require_experiment_can(s.experiment_, device, request.ranks);
  s.worker_ = request.worker.fold >= 0;
  if (!s.worker_ && s.writes_)
    s.lock_.emplace(s.run_.folder(), s.shares_ ? s.run_.fold(s.run_.opened_fold()).folder : fs::path(),
                    std::chrono::seconds(request.wait_for_run));
  s.folds_ = s.worker_                   ? std::vector<int>{request.worker.fold}
             : s.run_.opened_fold() >= 0 ? std::vector<int>{s.run_.opened_fold()}
                                         : folds_of_environment(s.run_.environment());
  s.from_ = origins_of_environment(s.run_.environment());
  s.changes_ = changed_plugins(s.run_.environment(), s.experiment_, *s.registry_);
  s.facts_ = facts_of(request, device);
  s.facts_.experiment_edited = was_edited(read_file(s.run_.experiment()));
  if (s.facts_.experiment_edited && !s.worker_)
    log().warning(s.run_.experiment().string() +
                  " was edited since this run began: what follows may differ from what it says of what came before");
  s.resumes_ = true;
  for (const int k : s.folds_) require_checkpoint_files(s.run_.fold(k));
  s.listing_ = std::make_unique<Listing>(s.experiment_, *s.registry_);
  s.splits_ = fs::exists(s.run_.splits()) ? splits_of_run(*s.listing_, s.run_.splits()) : splits_of(*s.listing_);
  if (s.writes_) require_writable(s.run_.folder(), some_space);
  // What has a checkpoint, or began with the weights of another run, needs no weights of the experiment.
  if (std::any_of(s.folds_.begin(), s.folds_.end(),
                  [&](int k) { return !s.run_.fold(k).begun() && s.origin(k) == nullptr; }))
    require_weights(s.experiment_);
  if (!s.worker_) tell(s.changes_);
  if (!s.worker_ && s.writes_) s.cost_ = cost_meter(request, device, s.folds_.size());
  return s;
}

void Session::begin(std::size_t bytes) {
  const std::string resume = "nephron train --resume " + shell_word(run_.folder().string());
  set_mapping_advice(("prepare the slide again (nephron prepare), and go on with: " + resume).c_str());
  if (writes_ && !worker_)
    set_last_words(
        ("\nended at once: what was not saved is lost. From the last checkpoint on, or anew where there is none yet: " +
         resume + "\n")
            .c_str());
  begun_ = begun_ || worker_ || !writes_;
  if (!writes_) return;
  facts_.threads = torch_threads();
  if (begun_) return require_writable(run_.folder(), bytes);
  if (resumes_) {
    require_writable(run_.folder(), bytes);
    lock_->in_turn([&] { add_session(run_.environment(), facts_, changes_); });
  } else {
    require_writable(run_.folder().parent_path(), bytes);
    make_run();
  }
  begun_ = true;
  lock_->in_turn([&] { reserve_ended(run_.folder()); });
  cost_->keep_in(own_folder());
  open_log_file(own_folder() / run_.log().filename());
  log().info((resumes_ ? "resuming " : "run ") + run_.folder().string() + " on " + facts_.device + ", " +
             experiment_.train.precision);
  for (const FoldOrigin& o : from_)
    if (!run_.fold(o.fold).begun())
      log().info("fold " + std::to_string(o.fold) + " begins with the weights of fold " + std::to_string(o.from_fold) +
                 " of " + o.run.string() + ", step " + std::to_string(o.step));
}

void Session::leave_waiting() {
  facts_.none_yet = true;
  require_writable(run_.folder().parent_path(), some_space);
  make_run();
  lock_.reset();
}

void Session::make_run() {
  run_.make();
  try {
    lock_.emplace(run_.folder());
    write_run();
  } catch (...) {  // a folder that is no run yet is of no use
    remove_run();
    throw;
  }
}

void Session::remove_run() {
  cost_.reset();  // its last word is written with it
  lock_.reset();
  std::error_code ignored;
  remove_files_of_start(run_.folder());
  fs::remove(run_.folder(), ignored);  // only when it is empty
}

bool Session::forget() {
  if (resumes_ || !writes_ || !run_.folds().empty()) return false;
  remove_run();
  return true;
}

bool Session::tells_of_run() const {
  std::error_code failed;
  return begun_ && !worker_ && writes_ && fs::exists(run_.environment(), failed);
}

void Session::note_done() const {
  // Others that train folds of it may need what was put aside.
  if (tells_of_run() && !shares_) release_ended(run_.folder());
}

void Session::note_end(EndedBy by, const std::exception* error) const {
  if (!tells_of_run()) return;
  const auto* const ours = dynamic_cast<const Error*>(error);
  std::string text = error != nullptr ? error->what() : "";
  text.resize(std::min(text.size(), text.find("\nException raised from")));  // LibTorch's backtrace
  lock_->in_turn([&] { write_ended(run_.folder(), by, text, ours != nullptr ? ours->hint() : ""); });
  if (!shares_) release_ended(run_.folder());
}

void Session::write_run() const {
  write_splits(run_.splits(), splits_);
  write_file_atomically(run_.environment(), environment_json(experiment_, *registry_, facts_, folds_, from_));
  const std::string resolved = resolved_file(experiment_, RegistryComponents(*registry_));
  if (keeps_snapshot_) keep_snapshot(run_, {experiment_, *registry_, resolved, from_.empty()});
  // Last: it makes the folder a run that --resume takes.
  write_file_atomically(run_.experiment(), resolved);
}

const FoldOrigin* Session::origin(int fold) const {
  const auto entry = std::find_if(from_.begin(), from_.end(), [&](const FoldOrigin& o) { return o.fold == fold; });
  return entry == from_.end() ? nullptr : &*entry;
}

}  // namespace nephron::host
