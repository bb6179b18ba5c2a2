#include <host/train/verify.hpp>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

#include <host/config/components.hpp>
#include <host/config/load.hpp>
#include <host/config/resolved_file.hpp>
#include <host/config/show.hpp>
#include <host/config/splits_file.hpp>
#include <host/data/folds.hpp>
#include <host/device/device.hpp>
#include <host/device/torch_state.hpp>
#include <host/feed/normalisation.hpp>
#include <host/ranks/local_ranks.hpp>
#include <host/train/drift.hpp>
#include <host/train/memory.hpp>
#include <host/train/replay_watch.hpp>
#include <host/train/run_snapshot.hpp>
#include <host/train/start.hpp>
#include <host/train/state_digests.hpp>
#include <host/train/together.hpp>
#include <host/train/trainer.hpp>
#include <host/util/counted.hpp>
#include <host/util/files.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/log.hpp>
#include <host/util/printable.hpp>
#include <host/util/temporary_folder.hpp>

namespace nephron::host {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

int fold_of(const VerifyRequest& request, const RunFolder& run) {
  const auto has = [&](int k) { return fs::exists(run.fold(k).folder / digests_name); };
  const int named = request.fold >= 0 ? request.fold : run.opened_fold();
  if (named >= 0 && has(named)) return named;
  if (named < 0)
    for (const int k : run.folds())
      if (has(k)) return k;
  throw Error(
      (named >= 0 ? run.fold(named).folder : run.folder()).string() + " has no " + digests_name,
      "Runs that began with an earlier nephron left no digests of their steps, and nobody can tell whether they "
      "come out again.");
}

/// The kept checkpoint at or before a step; nothing where none is.
std::optional<std::pair<std::int64_t, fs::path>> checkpoint_before(const FoldFolder& fold, std::int64_t step) {
  std::optional<std::pair<std::int64_t, fs::path>> out;
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator(fold.checkpoints(), none)) {
    const std::string name = entry.path().filename().string();
    std::int64_t at = 0;
    if (entry.is_symlink() || !name.starts_with("step-")) continue;
    const auto [stop, failed] = std::from_chars(name.data() + 5, name.data() + name.size(), at);
    if (failed != std::errc() || stop != name.data() + name.size() || at > step) continue;
    if (!out || at > out->first) out = {at, entry.path()};
  }
  return out;
}

class Verification {
 public:
  explicit Verification(const VerifyRequest& request)
      : request_(request),
        run_(RunFolder::open(request.run)),
        fold_(fold_of(request, run_)),
        record_(read_digests(run_.fold(fold_).folder / digests_name)) {
    if (record_.steps.empty())
      throw Error((run_.fold(fold_).folder / digests_name).string() + " holds no step", "The run did none.");
  }

  int run() {
    const FoldFolder folder{scratch_.folder() / ("fold-" + std::to_string(fold_)), fold_};
    begin_at(folder);
    const DigestSession& then = record_.session_of(start_ + 1);
    const std::string device = request_.device.empty() ? then.device : request_.device;
    std::optional<RankPlace> place = place_among_ranks();
    if (place && place->count != then.ranks)
      throw Error("fold " + std::to_string(fold_) + " was trained by " + counted(then.ranks, "process", "processes") +
                      ", and these are " + std::to_string(place->count) + ": that is another training",
                  "Start verify by itself: it starts as many as there were.");
    if (then.ranks == 1) return train_and_tell(folder, then, parse_device(device), nullptr);
    std::optional<LocalRanks> others;
    if (constexpr int most_here = 64; !place && then.ranks > most_here)
      throw Error("fold " + std::to_string(fold_) + " was trained by " + std::to_string(then.ranks) +
                      " ranks, more than one machine is asked for",
                  "Start verify as the training was: with torchrun or srun.");
    if (!place) {
      log().info("fold " + std::to_string(fold_) + " was trained by " + std::to_string(then.ranks) +
                 " ranks: as many processes of this machine train it again");
      place = others.emplace(then.ranks).place();
    }
    if (place->rank > 0) set_log_level(Log::Level::error);
    // Each rank has the device of its place: what the first one had names its kind alone.
    const c10::Device own = device_of_rank(device.starts_with("cuda") ? "cuda" : device, *place);
    const EndOfRank end_of = [&](int rank) { return others ? others->end_of(rank) : std::nullopt; };
    Ranks ranks(*place, own, {}, end_of);
    return run_among(ranks, [&] { return train_and_tell(folder, then, own, &ranks); });
  }

 private:
  int train_and_tell(const FoldFolder& folder, const DigestSession& then, c10::Device device, const Ranks* ranks) {
    Session session = Session::start(train_request(ranks), scratch_.folder(), device);
    set_threads(session.experiment(), then);
    if (device.is_cuda()) set_deterministic(session.experiment().train.deterministic);
    const PreparedData data =
        normalised(prepare(session.listing(), session.splits(), session.experiment().data.most_lost),
                   session.experiment(), session.registry());
    warn_of_problems(data);
    drifts_ = request_.drift || (device.is_cuda() && !session.experiment().train.deterministic);
    ReplayWatch watch(record_, request_.steps > 0 ? start_ + request_.steps : 0, drifts_, ranks != nullptr);
    const std::optional<FoldResult> result = train(session, data, folder, device, watch, ranks);
    if (ranks != nullptr && !ranks->first()) return interrupted() ? 130 : 0;  // the first one tells
    if (watch.enough()) set_interrupted(false);                               // by which it stopped the ranks
    if (drifts_ && result && result->finished) drift_ = drift_of(run_, fold_, result->progress.best_dice);
    return tell(session, data, device, watch);
  }

  void begin_at(const FoldFolder& folder) {
    if (request_.from <= 0) return;
    const auto checkpoint = checkpoint_before(run_.fold(fold_), request_.from);
    if (!checkpoint) {
      log().info("no checkpoint of step " + std::to_string(request_.from) + " or before is kept: from the beginning");
      return;
    }
    start_ = checkpoint->first;
    if (start_ >= record_.steps.rbegin()->first)
      throw Error("the checkpoint of step " + std::to_string(start_) + " is the last that fold " +
                      std::to_string(fold_) + " has: no step comes behind it",
                  "Name an earlier step: --from " + std::to_string(start_ - 1));
    fs::create_directories(folder.checkpoints());
    fs::copy(checkpoint->second, folder.checkpoints() / checkpoint->second.filename(), fs::copy_options::recursive);
    fs::create_directory_symlink(checkpoint->second.filename(), folder.checkpoints() / "last");
  }

  TrainRequest train_request(const Ranks* ranks) const {
    TrainRequest out;
    out.writes = ranks == nullptr || ranks->first();
    out.ranks = ranks == nullptr ? 1 : ranks->count();
    out.experiment = run_.experiment();
    out.overrides = request_.overrides;
    out.plugins = request_.plugins;
    out.fold = std::to_string(fold_);
    out.debug = false;
    for (const FoldOrigin& origin : origins_of_environment(run_.environment()))
      if (origin.fold == fold_) {
        out.from = origin.run / ("fold-" + std::to_string(origin.from_fold));
        out.checkpoint = origin.checkpoint;
      }
    return out;
  }

  /// As many as the run had, since sums depend on how they are divided; unless a number was asked for.
  void set_threads(const Experiment& experiment, const DigestSession& then) const {
    const bool set = std::any_of(request_.overrides.begin(), request_.overrides.end(),
                                 [](const std::string& o) { return o.starts_with("train.threads"); });
    set_torch_threads(request_.threads > 0 ? request_.threads : set ? experiment.train.threads : then.threads);
  }

  /// Nothing where it ended before its end: it differs, or as far as was asked.
  std::optional<FoldResult> train(const Session& session, const PreparedData& data, const FoldFolder& folder,
                                  c10::Device device, ReplayWatch& watch, const Ranks* ranks) const {
    const auto begin = [&](std::size_t bytes) { require_writable(scratch_.folder(), bytes); };
    FoldJob job{session.experiment(), session.registry(),    data,  folder,     device,
                start_ > 0,           session.origin(fold_), begin, FoldPlace{}};
    job.ranks = ranks;
    if (job.writes()) job.watch = &watch;
    try {
      return train_fold(job);
    } catch (const ReplayWatch::Enough&) {
      return std::nullopt;
    }
  }

  // ---- why

  /// Keys that are not as the run had them; the files of folds and plugins lie elsewhere without any effect.
  void compare_keys(const Session& session, std::vector<std::string>& out) const {
    const std::string text = experiment_then();
    const Value was = parse_toml(text, run_.experiment().string());
    const Value is = with_defaults(session.experiment().resolved, RegistryComponents(session.registry()));
    const auto text_of = [](const Value* v) { return v == nullptr ? std::string("not there") : v->str(); };
    for (const Difference& d : differences(was, is))
      if (d.key != "data.folds.file" && d.key != "name" && !d.key.starts_with("plugins"))
        out.push_back("key " + d.key + ": " + text_of(d.before) + " then, " + text_of(d.after) + " now");
  }

  /// Records that are not read again and are damaged or not those that the run began with.
  void compare_records(std::vector<std::string>& out) {
    const auto noting = [&](const auto& look) {
      try {
        look();
      } catch (const Error& e) {
        out.emplace_back(e.what());
      }
    };
    noting([&] {
      if (const fs::path file = run_.folder() / snapshot_name; fs::exists(file)) snapshot_ = read_snapshot(file);
    });
    noting([&] {
      if (snapshot_ && snapshot_->splits) {
        if (name_of(run_.splits()) != *snapshot_->splits)
          out.push_back(run_.splits().string() + " is not the file that the run began with");
      } else if (fs::exists(run_.splits())) {
        read_splits(run_.splits());
      }
    });
  }

  /// As the snapshot has it, which nobody edits; else the run's own file.
  std::string experiment_then() const {
    constexpr std::size_t most = std::size_t{64} << 20;
    if (snapshot_ && snapshot_->experiment) try {
        return ObjectStore(run_.folder().parent_path().parent_path()).text(*snapshot_->experiment, most);
      } catch (const Error& e) {
        log().warning(e.what());
      }
    return read_file(run_.experiment(), most);
  }

  void compare_machine(c10::Device device, std::int64_t step, std::vector<std::string>& out) const {
    const DigestSession& then = record_.session_of(std::max<std::int64_t>(step, 1));
    const DigestSession now = digest_session(device);
    const auto compare = [&](const char* what, const std::string& a, const std::string& b) {
      if (a != b) out.push_back(std::string(what) + ": " + a + " then, " + b + " now");
    };
    compare("threads", std::to_string(then.threads), std::to_string(now.threads));
    compare("processor", then.processor, now.processor);
    compare("device", then.device, now.device);
    compare("torch", "LibTorch " + then.torch, "LibTorch " + now.torch);
    if (then.program != now.program && !snapshot_) out.emplace_back("program: another build than then");
    if (step > 0 && record_.sessions.size() > 1)
      for (const auto& [after, session] : record_.sessions)
        if (after > 0 && after < step && !(session == record_.session_of(after)))
          out.push_back("the run itself went on with something else after step " + std::to_string(after));
  }

  std::vector<std::string> causes(const Session& session, const PreparedData& data, c10::Device device,
                                  std::int64_t step) {
    std::vector<std::string> out;
    compare_records(out);
    compare_keys(session, out);
    for (std::string& text : differences_of_slides(run_.fold(fold_).slides(), session.experiment(), data, fold_))
      out.push_back(std::move(text));
    if (snapshot_) {
      for (std::string& text : differences_from_snapshot(*snapshot_, session.experiment(), session.registry()))
        out.push_back(std::move(text));
    } else {
      for (const PluginChange& c : changed_plugins(run_.environment(), session.experiment(), session.registry()))
        out.push_back("plugin \"" + c.plugin + "\" (" + c.file.string() + ") is another file than then");
    }
    compare_machine(device, step, out);
    return out;
  }

  /// What is not as it was though these steps come out again.
  std::vector<std::string> changes(const Session& session, const PreparedData& data) {
    std::vector<std::string> out = differences_of_slides(run_.fold(fold_).slides(), session.experiment(), data, fold_);
    compare_records(out);
    return out;
  }

  // ---- the verdict

  int tell(const Session& session, const PreparedData& data, c10::Device device, const ReplayWatch& watch) {
    const auto& found = watch.divergence();
    if (!found && interrupted()) {
      log().warning(watch.compared() == 0
                        ? "interrupted before the first step was compared"
                        : "interrupted after " + counted(watch.compared(), "step") + ", all of them bit-equal");
      return 130;
    }
    const std::vector<std::string> why = found ? causes(session, data, device, found->step) : changes(session, data);
    if (request_.json) std::fputs(json_of(watch, why).c_str(), stdout);
    else print(text_of(watch, why));
    std::fflush(stdout);
    return found ? 1 : 0;
  }

  std::string json_of(const ReplayWatch& watch, const std::vector<std::string>& why) const {
    Json out{{"run", run_.folder().string()}, {"fold", fold_},
             {"equal", !watch.divergence()},  {"first_step", watch.first()},
             {"last_step", watch.last()},     {"steps", watch.compared()},
             {"tensor_looks", watch.looks()}, {"tensors", watch.tensor_count()},
             {"diverges", nullptr},           {"causes", watch.divergence() ? why : std::vector<std::string>()}};
    if (!watch.divergence()) out["changed"] = why;
    if (const auto& d = watch.divergence()) {
      Json& to = out["diverges"] = {{"step", d->step}, {"where", d->of_data() ? "data" : "model"}};
      if (d->what == Divergence::What::tensor) to["tensor"] = d->tensor, to["tensors"] = d->tensors;
      else to["loss_then"] = d->loss_then, to["loss_now"] = d->loss_now;
    }
    if (drift_)
      out["drift"] = {{"dice_then", drift_->then},
                      {"dice_now", drift_->now},
                      {"seeds", drift_->seeds.size()},
                      {"deviation_between_seeds", drift_->deviation()}};
    return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  }

  std::string text_of(const ReplayWatch& watch, const std::vector<std::string>& why) const {
    const std::string head = run_.folder().string() + ", fold " + std::to_string(fold_) + ": ";
    const auto& d = watch.divergence();
    if (!d) {
      std::string out = head + "bit-equal, steps " + std::to_string(watch.first()) + " to " +
                        std::to_string(watch.last()) + "; " + counted(watch.tensor_count(), "tensor") + " looked at " +
                        counted(watch.looks(), "time") + "\n";
      if (const std::int64_t asked = start_ + request_.steps; request_.steps > 0 && watch.last() < asked)
        out += "  " + (run_.fold(fold_).folder / digests_name).string() + " ends there; steps to " +
               std::to_string(asked) + " were asked for\n";
      if (!why.empty()) out += "  these steps did not read what is not as it was, and validation may have:\n";
      for (const std::string& what : why) out += "    " + what + "\n";
      return out;
    }
    std::string out =
        head + "diverges at step " + std::to_string(d->step) + ", in the " + (d->of_data() ? "data" : "model") + ": ";
    char numbers[120];
    std::snprintf(numbers, sizeof numbers, "%.9g then, %.9g now", d->loss_then, d->loss_now);
    if (d->what == Divergence::What::batch) out += "the batch is another one";
    else if (d->what == Divergence::What::loss) out += std::string("of the same batch the loss is ") + numbers;
    else
      out += counted(d->tensors, "tensor") + (d->tensors == 1 ? " differs, " : " differ, the first is ") +
             printable_name(d->tensor) + (d->step == 0 ? " (before the first step)" : "");
    out += why.empty() ? "\n  nothing that is recorded differs: neither keys, plugins, program, torch, threads, "
                         "processor nor slides\n"
                       : "\n  what is not as it was:\n";
    for (const std::string& cause : why) out += "    " + cause + "\n";
    if (drift_) out += "  " + drift_->text() + "\n";
    return out;
  }

  const VerifyRequest& request_;
  RunFolder run_;
  int fold_;
  DigestRecord record_;
  TemporaryFolder scratch_{"nephron-debug-"};
  std::int64_t start_ = 0;
  std::optional<Snapshot> snapshot_;
  bool drifts_ = false;  ///< bits are not to be had, or not asked for
  std::optional<Drift> drift_;
};

}  // namespace

int verify(const VerifyRequest& request) {
  keep_freed_memory();
  return Verification(request).run();
}

}  // namespace nephron::host
