#include <host/sweep/sweep_setup.hpp>

#include <algorithm>
#include <fstream>
#include <memory>
#include <set>
#include <tuple>

#include <nephron/error.hpp>

#include <host/config/load.hpp>
#include <host/config/resolved.hpp>
#include <host/config/resolved_file.hpp>
#include <host/config/show.hpp>
#include <host/sweep/sweep_config.hpp>
#include <host/sweep/trial.hpp>
#include <host/sweep/trial_check.hpp>
#include <host/util/counted.hpp>
#include <host/util/files.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/log.hpp>
#include <host/util/progress.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t enough_faults = 50;

/// The file as it was read: the section, and the experiment that is left.
struct SweepFile {
  Value section, experiment;
  SweepConfig config;
  std::string digest;
  Diagnostics faults;
};

SweepFile read_file_of(const SweepRequest& request) {
  SweepFile out;
  out.experiment = resolve_experiment(request.file, request.overrides, out.faults);
  const Value* const section = out.experiment.find("sweep");
  if (section == nullptr) {
    if (out.faults.empty())
      out.faults.push_back({out.experiment.source, "this experiment has no section [sweep]",
                            "nephron train trains a single one; docs/sweeps.md shows what a sweep needs"});
    throw ConfigError(std::move(out.faults));
  }
  out.digest = sha256_of_text(to_toml(out.experiment));
  out.section = *section;
  std::erase_if(out.experiment.table(), [](const Value::Member& m) { return m.key == "sweep"; });
  DecodeContext context{out.faults, nullptr};
  out.config = schema_of<SweepConfig>().decode(out.section, context);
  return out;
}

/// What [sweep] says beside what it may say, in which lists are checked number by number.
class SectionCheck {
 public:
  SectionCheck(const SweepFile& file, Diagnostics& faults)
      : section_(file.section), config_(file.config), faults_(faults) {}

  void alone() {
    twice(config_.seeds, section_.find("seeds"), "seeds");
    twice(config_.folds, section_.find("folds"), "folds");
    if (const Value* const folds = section_.find("folds"); folds != nullptr && config_.folds.empty())
      fault(*folds, "\"folds\" is empty: trials are scored on the slides that a fold holds out", "such as folds = [0]");
    if (config_.method == "halving" && !config_.halving)
      fault(section_, "\"halving\" is missing", "such as halving = { eta = 3, first_epochs = 4 }");
  }

  void with(const Experiment& base) {
    const int count = std::max(1, base.data.folds.count);
    for (const int k : config_.folds)
      if (k >= count) fault(at("folds"), fold_words(k, count), "data.folds.count is " + std::to_string(count));
    if (config_.halving && config_.halving->first_epochs > base.train.epochs)
      fault(at("halving"),
            "\"first_epochs\" is more than the " + counted(base.train.epochs, "epoch") + " of the whole training",
            "let it be smaller, or train.epochs greater");
    if (config_.confirm) confirm(base, count);
  }

  std::optional<SweepPlan::Confirm> confirmed;

 private:
  void fault(const Value& where, std::string message, std::string hint = {}) {
    faults_.push_back({where.source, std::move(message), std::move(hint)});
  }
  const Value& at(const char* key) const {
    const Value* const found = section_.find(key);
    return found != nullptr ? *found : section_;
  }
  static std::string fold_words(std::int64_t k, int count) {
    return "there is no fold " + std::to_string(k) + ": they are 0 to " + std::to_string(count - 1);
  }

  template <class N>
  void twice(const std::vector<N>& numbers, const Value* where, const char* key) {
    std::set<N> seen;
    for (const N n : numbers)
      if (!seen.insert(n).second) fault(*where, "\"" + std::string(key) + "\" names " + std::to_string(n) + " twice");
  }

  void confirm(const Experiment& base, int count) {
    const Value& where = at("confirm");
    SweepPlan::Confirm out{static_cast<int>(config_.confirm->top), confirming_folds(where, count),
                           config_.confirm->seeds};
    const std::vector<std::int64_t> chosen =
        config_.seeds.empty() ? std::vector<std::int64_t>{base.seed} : config_.seeds;
    twice(out.seeds, where.find("seeds"), "seeds");
    for (const std::int64_t seed : out.seeds)
      if (std::find(chosen.begin(), chosen.end(), seed) != chosen.end())
        fault(where, "the seed " + std::to_string(seed) + " of \"confirm\" chooses among the trials",
              "take others, or leave \"seeds\" out");
    const std::int64_t last = *std::max_element(chosen.begin(), chosen.end());
    for (std::size_t i = 0; config_.confirm->seeds.empty() && i < chosen.size(); ++i)
      out.seeds.push_back(last + 1 + static_cast<std::int64_t>(i));
    confirmed = std::move(out);
  }

  std::vector<int> confirming_folds(const Value& where, int count) {
    const Value& asked = config_.confirm->folds;
    std::vector<int> out;
    const auto chooses = [&](int k) {
      return std::find(config_.folds.begin(), config_.folds.end(), k) != config_.folds.end();
    };
    if (asked == Value("all")) {
      for (int k = 0; k < count; ++k)
        if (!chooses(k)) out.push_back(k);
    } else if (!asked.is(Value::Type::array)) {
      fault(asked, "\"folds\" of \"confirm\" must be \"all\" or a list of folds, such as [1, 2]");
    } else {
      for (const Value& v : asked.array()) {
        if (!v.is(Value::Type::integer) || v.integer() < 0 || v.integer() >= count)
          fault(v, v.is(Value::Type::integer) ? fold_words(v.integer(), count) : "a fold must be an integer");
        else if (chooses(static_cast<int>(v.integer())))
          fault(v, "fold " + v.str() + " chooses among the trials, and cannot confirm",
                "name others, or \"all\" that chose nothing");
        else if (std::find(out.begin(), out.end(), v.integer()) != out.end())
          fault(v, "fold " + v.str() + " is named twice");
        else out.push_back(static_cast<int>(v.integer()));
      }
    }
    if (out.empty() && faults_.empty())
      fault(where, "no fold is left that chose nothing",
            "let \"folds\" of [sweep] be fewer, or data.folds.count greater");
    return out;
  }

  const Value& section_;
  const SweepConfig& config_;
  Diagnostics& faults_;
};

/// Each fault once, of whichever trial.
class FaultCollector {
 public:
  void add(const Diagnostics& faults) {
    for (const Diagnostic& d : faults)
      if (known_.insert(d.source.str() + "\n" + d.message).second) all.push_back(d);
  }
  Diagnostics all;

 private:
  std::set<std::string> known_;
};

void check_trial(const Experiment& e, const SweepConfig& config, const Value& section, const Experiment& base,
                 Diagnostics& faults) {
  if (config.method != "halving") return;
  const auto fault = [&](const char* key, std::string message, std::string hint) {
    const Value* const train = e.resolved.find("train");
    const Value* const at = train != nullptr ? train->find(key) : nullptr;
    faults.push_back({at != nullptr ? at->source : section.source, std::move(message), std::move(hint)});
  };
  if (e.train.epochs != base.train.epochs)
    fault("epochs", "\"train.epochs\" cannot be varied by halving, which gives trials their epochs",
          "vary it with another method");
  if (e.train.validate_every > config.halving->first_epochs)
    fault("validate_every",
          "\"train.validate_every\" is " + std::to_string(e.train.validate_every) + ", more than the first " +
              counted(config.halving->first_epochs, "epoch") + ": trials would have no score there",
          "let first_epochs be a multiple of it");
}

SweepPlan plan_of(const SweepFile& file, const Experiment& base, std::optional<SweepPlan::Confirm> confirm) {
  const SweepConfig& config = file.config;
  SweepPlan out;
  out.method = config.method, out.score = config.score, out.digest = file.digest;
  out.seed = config.seed.value_or(base.seed);
  out.seeds = config.seeds.empty() ? std::vector<std::int64_t>{base.seed} : config.seeds;
  out.folds = config.folds;
  out.threads = base.train.threads;
  out.confirm = std::move(confirm);
  out.rungs = {base.train.epochs};
  if (config.method == "halving") {
    out.eta = static_cast<int>(config.halving->eta);
    out.rungs = rungs_of(config.halving->first_epochs, out.eta, base.train.epochs);
  }
  return out;
}

void add_axes(SweepPlan& plan, const SweepFile& file, const std::vector<Trial>& trials) {
  Diagnostics told_already;
  if (file.config.method != "list") {
    for (const Axis& axis : read_axes(*file.section.find("vary"), told_already))
      plan.axes.push_back({axis.key.text(), axis.logarithmic()});
    return;
  }
  std::set<std::string> known;
  for (const Trial& trial : trials)
    for (const Trial::Setting& setting : trial.settings)
      if (known.insert(setting.key.text()).second) plan.axes.push_back({setting.key.text(), false});
}

void write_trial(const fs::path& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary);
  out << text;
  if (!out.flush()) throw Error("cannot write " + file.string() + ": is the disk full?");
}

/// What trials are checked with.
struct TrialParts {
  const fs::path& path;
  const SweepFile& file;
  const Experiment& base;
  const Registry& registry;
  const std::vector<Trial>& trials;
};

/// Each as an experiment of its own, into the folder and into the plan. Throws ConfigError.
void write_trials(const TrialParts& parts, const fs::path& folder, SweepPlan& plan) {
  const RegistryComponents components(parts.registry);
  FaultCollector faults;
  Progress progress("checking trials", static_cast<std::int64_t>(parts.trials.size()));
  for (const Trial& trial : parts.trials) {
    if (interrupted()) throw Cancelled();
    Diagnostics found;
    Value changed = parts.base.resolved;
    lay_upon(changed, trial.table(), found);
    const Experiment e = decode_experiment(parts.path, std::move(changed), components, found);
    if (found.empty()) check_trial(e, parts.file.config, parts.file.section, parts.base, found);
    faults.add(found);
    if (faults.all.size() >= enough_faults) break;
    if (found.empty()) write_trial(trial_file(folder, trial.number), resolved_file(e, components));
    SweepPlan::Trial& planned = plan.trials.emplace_back();
    planned.epochs = e.train.epochs;
    for (const Trial::Setting& setting : trial.settings)
      planned.settings.emplace_back(setting.key.text(), setting.value.str());
    progress.update(trial.number + 1);
  }
  progress.finish();
  if (!faults.all.empty()) throw ConfigError(std::move(faults.all));
}

}  // namespace

fs::path trial_file(const fs::path& folder, int trial) {
  const std::string number = std::to_string(trial);
  return folder / (std::string(number.size() < 4 ? 4 - number.size() : 0, '0') + number + ".toml");
}

SweepPlan prepare_sweep(const SweepRequest& request, const fs::path& folder) {
  SweepFile file = read_file_of(request);
  const Value* const own = file.experiment.find("seed");
  const auto seed = static_cast<std::uint64_t>(
      file.config.seed.value_or(own != nullptr && own->is(Value::Type::integer) ? own->integer() : Experiment().seed));
  SectionCheck(file, file.faults).alone();
  const std::vector<Trial> trials =
      file.config.method.empty() ? std::vector<Trial>{} : make_trials(file.config, file.section, seed, file.faults);
  std::unique_ptr<Registry> registry;
  const Experiment base = load_resolved(request.file, std::move(file.experiment), {}, registry, std::move(file.faults));
  FaultCollector faults;
  SectionCheck checked(file, faults.all);
  checked.with(base);
  if (!faults.all.empty()) throw ConfigError(std::move(faults.all));

  SweepPlan plan = plan_of(file, base, checked.confirmed);
  add_axes(plan, file, trials);
  write_trials({request.file, file, base, *registry, trials}, folder, plan);
  check_by_computing_program(trials, folder);
  if (const std::vector<std::string> pairs = equal_trials(trials); !pairs.empty())
    log().warning("trials " + pairs[0] + " are equal" +
                  (pairs.size() > 1 ? ", and " + counted(pairs.size() - 1, "other pair") : "") +
                  ": method = \"grid\" trains each combination of so few once");
  return plan;
}

}  // namespace nephron::host
