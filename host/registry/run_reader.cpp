#include <host/registry/run_reader.hpp>

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

#include <host/config/load.hpp>
#include <host/config/show.hpp>
#include <host/registry/fold_figures.hpp>
#include <host/registry/labels.hpp>
#include <host/registry/slurm_status.hpp>
#include <host/runs/cost_record.hpp>
#include <host/runs/fold_number.hpp>
#include <host/runs/here_and_now.hpp>
#include <host/runs/process.hpp>
#include <host/runs/run.hpp>
#include <host/runs/run_record.hpp>
#include <host/runs/sweep_part.hpp>
#include <host/runs/validation_state.hpp>
#include <host/slurm/slurm_record.hpp>
#include <host/util/checked_json.hpp>
#include <host/util/listed.hpp>
#include <host/util/printable.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

constexpr int most_number = std::numeric_limits<int>::max();

/// One line, as far as it says what is wrong.
std::string first_line(const std::string& text) { return printable_name(text.substr(0, text.find('\n'))); }

/// What `read` adds to `out`; where a file is damaged, the rest is kept.
template <class Read>
void attempt(SourceFacts& out, Read&& read) {
  try {
    read();
  } catch (const std::exception& e) {
    if (out.problem.empty()) out.problem = first_line(e.what());
  }
}

bool there(const fs::path& file) {
  std::error_code failed;
  return fs::exists(file, failed);
}

void add_text(SourceFacts& out, const JsonNode& from, const char* key, const std::string& as) {
  const auto found = from.find(key);
  if (!found) return;
  if (std::string text = found->text(); !text.empty()) out.facts.push_back({as, std::move(text)});
}

FactValue fact_of(const Value& value) {
  switch (value.type()) {
    case Value::Type::integer:
      return value.integer();
    case Value::Type::real:
      return value.number();
    case Value::Type::string:
      return value.string();
    default:
      return value.str();
  }
}

void add_cost(FoldFigures& figures, const RunCostRecord& cost, SourceFacts& out) {
  if (cost.sessions.empty()) return;
  figures.peak = std::max(figures.peak, cost.peak_rss_mb);
  if (cost.cpu_s) out.facts.push_back({"cpu_seconds", *cost.cpu_s});
  out.facts.push_back({"gpu_seconds", cost.gpu_s});
  if (cost.energy_wh) out.facts.push_back({"energy_wh", *cost.energy_wh});
  out.facts.push_back({"beside_others", cost.beside_others});
}

void add_plugin(SourceFacts& out, const JsonNode& plugin) {
  const std::string name = plugin.at("plugin").text(), sha = plugin.at("sha256").text();
  out.facts.push_back({"plugin." + name, sha.substr(0, 12)});
  for (const std::string& value : {name, plugin.at("file").text(), sha})
    out.uses.push_back({Use::Kind::plugin, value, "plugin " + name});
  if (const auto components = plugin.find("components"))
    for (const std::string& component : components->texts()) {  // "encoder resnet34"
      out.uses.push_back({Use::Kind::plugin, component, "plugin " + name});
      out.uses.push_back({Use::Kind::plugin, component.substr(component.find(' ') + 1), component});
    }
}

void add_origin(SourceFacts& out, const JsonNode& origin) {
  const std::string run = origin.at("run").text();
  const std::string how = "fold " + std::to_string(origin.at("fold").integer(0, most_number)) + " began with them";
  for (const std::string& value : {run, origin.at("weights").text(), origin.at("sha256").text()})
    out.uses.push_back({Use::Kind::weights, value, how});
  if (out.facts.empty() || out.facts.back().key != "from") out.facts.push_back({"from", run});
}

/// Of a run that is a part of a sweep.
void add_sweep(SourceFacts& out, const fs::path& run) {
  const std::optional<SweepPart> part = read_sweep_part(run);
  if (!part) return;
  out.facts.push_back({"sweep", part->sweep});
  out.facts.push_back({"trial", std::int64_t{part->trial}});
  out.facts.push_back({"rung", part->confirms ? FactValue("confirm") : FactValue(std::int64_t{part->rung})});
}

/// Of a run that was handed to Slurm: the number of its last job there.
void add_slurm_job(SourceFacts& out, const fs::path& run) {
  if (const std::optional<SlurmRecord> record = read_slurm_record(run)) out.facts.push_back({"slurm", record->job});
}

/// Of one that was not: that of the job in which its last session trained, such as of a sweep.
void add_slurm_job(SourceFacts& out, const JsonNode& last_session) {
  if (std::none_of(out.facts.begin(), out.facts.end(), [](const Fact& fact) { return fact.key == "slurm"; }))
    add_text(out, last_session, "slurm", "slurm");
}

/// "trained on, folds 0, 1".
std::string with_folds(const std::string& what, const std::vector<int>& folds) {
  return what + (folds.size() == 1 ? ", fold " : ", folds ") + listed(folds);
}

}  // namespace

RunReader::RunReader(fs::path run) : run_(std::move(run)) {
  std::error_code failed;
  for (fs::directory_iterator entry(run_, failed), end; !failed && entry != end; entry.increment(failed))
    if (const auto k = fold_number(entry->path())) folds_.push_back(*k);
  std::sort(folds_.begin(), folds_.end());
}

std::vector<fs::path> RunReader::files(FactSource source) const {
  std::vector<fs::path> out;
  const auto of_folds = [&](std::initializer_list<const char*> names) {
    for (const int k : folds_)
      for (const char* name : names) out.push_back(run_ / ("fold-" + std::to_string(k)) / name);
  };
  switch (source) {
    case FactSource::experiment:
      out = {run_ / "experiment.resolved.toml"};
      break;
    case FactSource::environment:
      out = {run_ / "environment.json", sweep_part_file(run_), slurm_file(run_)};
      break;
    case FactSource::results:
      of_folds({"metrics.jsonl", "done.json", "cost.json"});
      out.push_back(cost_file(run_));
      break;
    case FactSource::slides:
      of_folds({"slides.json"});
      break;
    case FactSource::validation:
      of_folds({"checkpoints/best", "checkpoints/last"});  // links, whose ends are what was measured
      out.push_back(validation_scores(run_));
      break;
    case FactSource::labels:
      out = label_files(run_);
      break;
  }
  return out;
}

std::string RunReader::stamp(FactSource source) const {
  std::string out;
  for (const fs::path& file : files(source)) {
    struct stat info = {};
    if (::stat(file.c_str(), &info) != 0) {
      out += "-;";
      continue;
    }
    out += std::to_string(info.st_mtim.tv_sec) + "." + std::to_string(info.st_mtim.tv_nsec) + "," +
           std::to_string(info.st_size) + "," + std::to_string(info.st_ino) + ";";
  }
  return out;
}

SourceFacts RunReader::read(FactSource source) const {
  switch (source) {
    case FactSource::experiment:
      return experiment();
    case FactSource::environment:
      return environment();
    case FactSource::results:
      return results();
    case FactSource::slides:
      return slides();
    case FactSource::validation:
      return validation();
    case FactSource::labels:
      break;
  }
  return labels();
}

SourceFacts RunReader::experiment() const {
  SourceFacts out;
  attempt(out, [&] {
    const Value resolved = parse_toml(run_ / "experiment.resolved.toml");
    for (const Leaf& leaf : leaves(resolved)) out.facts.push_back({leaf.key, fact_of(*leaf.value)});
  });
  for (const Fact& fact : out.facts)
    if (fact.key == "model.weights" || fact.key == "model.encoder.weights")
      if (const auto* const file = std::get_if<std::string>(&fact.value); file != nullptr && !file->empty())
        out.uses.push_back({Use::Kind::weights, *file, fact.key});
  return out;
}

SourceFacts RunReader::environment() const {
  SourceFacts out;
  attempt(out, [&] { add_sweep(out, run_); });
  attempt(out, [&] { add_slurm_job(out, run_); });
  if (!there(run_ / "environment.json")) return out;
  attempt(out, [&] {
    const JsonNode json = JsonNode::read(run_ / "environment.json");
    for (const char* key : {"started", "user", "host", "device", "commit", "cpu"}) add_text(out, json, key, key);
    add_text(out, json, "experiment", "experiment_file");
    if (const auto cores = json.find("cores")) out.facts.push_back({"cores", cores->integer(0, most_number)});
    if (const auto versions = json.find("versions"))
      for (const auto& [name, version] : versions->members()) out.facts.push_back({"versions." + name, version.text()});
    if (const auto folds = json.find("folds")) {
      std::string text;
      for (const JsonNode& fold : folds->items())
        text += (text.empty() ? "" : ",") + std::to_string(fold.integer(0, most_number));
      out.facts.push_back({"folds", text});
    }
    if (const auto from = json.find("from"))
      for (const JsonNode& origin : from->items()) add_origin(out, origin);
    std::set<std::pair<std::string, std::string>> commits;
    const auto add_commit = [&](const JsonNode& of, const char* how) {
      if (const auto commit = of.find("commit"); commit && !commit->text().empty())
        commits.emplace(commit->text(), how);
    };
    add_commit(json, "of the experiment");
    if (const auto versions = json.find("versions")) add_commit(*versions, "of nephron");
    if (const auto sessions = json.find("sessions")) {
      const auto all = sessions->items();
      out.facts.push_back({"sessions", static_cast<std::int64_t>(all.size())});
      for (const JsonNode& session : all) add_commit(session, "of nephron");
      if (!all.empty()) add_slurm_job(out, all.back());
    }
    for (const auto& [commit, how] : commits) out.uses.push_back({Use::Kind::commit, commit, how});
    if (const auto plugins = json.find("plugins"))
      for (const JsonNode& plugin : plugins->items()) add_plugin(out, plugin);
  });
  return out;
}

SourceFacts RunReader::results() const {
  SourceFacts out;
  FoldFigures figures;
  for (const int k : folds_) {
    const FoldFolder fold{run_ / ("fold-" + std::to_string(k)), k};
    attempt(out, [&] { figures.read(fold, out.facts); });
  }
  attempt(out, [&] { add_cost(figures, read_cost(run_), out); });
  for (const auto& [key, values] : figures.means) add_mean(out.facts, key, values);
  if (!folds_.empty()) {
    out.facts.push_back({"folds_done", figures.done});
    out.facts.push_back({"steps", static_cast<std::int64_t>(figures.steps)});
  }
  if (figures.seconds > 0) out.facts.push_back({"seconds", figures.seconds});
  if (figures.peak > 0) out.facts.push_back({"peak_rss_mb", figures.peak});
  return out;
}

SourceFacts RunReader::slides() const {
  SourceFacts out;
  std::map<std::pair<std::string, std::string>, std::vector<int>> folds;  // (slide, what of it) -> folds
  for (const int k : folds_) {
    const fs::path file = FoldFolder{run_ / ("fold-" + std::to_string(k)), k}.slides();
    if (!there(file)) continue;
    attempt(out, [&] {
      const JsonNode json = JsonNode::read(file);
      for (const auto& [key, what] : {std::pair{"trained_on", "trained on"}, std::pair{"held_out", "held out"}})
        for (const JsonNode& slide : json.at(key).items()) {
          folds[{slide.at("id").text(), what}].push_back(k);
          if (const auto source = slide.find("source"); source && !source->text().empty())
            folds[{source->text(), what}].push_back(k);
        }
    });
  }
  for (const auto& [slide, of] : folds)
    out.uses.push_back({Use::Kind::slide, slide.first, with_folds(slide.second, of)});
  return out;
}

SourceFacts RunReader::validation() const {
  SourceFacts out;
  const fs::path file = validation_scores(run_);
  if (!there(file)) return out;
  attempt(out, [&] {
    const JsonNode json = JsonNode::read(file);
    const std::string fault = validation_fault(run_, json);
    out.facts.push_back({"validation", fault.empty() ? "whole" : fault});
    if (!fault.empty()) return;  // figures of a part, or of other weights, would be sorted among those of whole runs
    std::map<std::string, std::vector<double>> of_classes;
    for (const JsonNode& value : json.at("values").items()) {
      if (!value.at("value").raw().is_number()) continue;
      const std::string key = "score." + value.at("name").text();
      const double number = value.at("value").number();
      if (value.at("class").raw().is_null()) {
        out.facts.push_back({key, number});
      } else {
        out.facts.push_back({key + "." + value.at("class").text(), number});
        of_classes[key].push_back(number);
      }
    }
    for (const auto& [key, values] : of_classes)
      if (std::none_of(out.facts.begin(), out.facts.end(), [&, k = key](const Fact& f) { return f.key == k; }))
        add_mean(out.facts, key, values);
    out.facts.push_back({"score.slides", static_cast<std::int64_t>(json.at("slides").items().size())});
  });
  return out;
}

SourceFacts RunReader::labels() const {
  SourceFacts out;
  const RunLabels all = read_labels(run_);
  std::string tags;
  for (const std::string& tag : all.tags) tags += (tags.empty() ? "" : std::string(1, tag_separator)) + tag;
  if (!tags.empty()) out.facts.push_back({"tag", tags});
  if (!all.notes.empty()) out.facts.push_back({"note", all.notes.back().text});
  out.problem = all.problem;
  return out;
}

RunReader::State RunReader::state() const {
  StatusEvidence evidence;
  SlurmSession in_slurm;
  evidence.lock = FolderLock::ask(run_);
  std::vector<int> folds = folds_;
  try {
    const JsonNode json = JsonNode::read(run_ / "environment.json");
    if (const auto host = json.find("host")) evidence.host = host->text();
    if (const auto started = json.find("folds")) {
      folds.clear();
      for (const JsonNode& k : started->items()) folds.push_back(static_cast<int>(k.integer(0, most_number)));
    }
    if (const auto sessions = json.find("sessions")) {
      const auto all = sessions->items();
      evidence.sessions = static_cast<std::int64_t>(all.size());
      if (!all.empty()) {
        if (const auto host = all.back().find("host")) evidence.host = host->text();
        if (const auto job = all.back().find("slurm")) in_slurm.job = job->text();
        if (const auto started = all.back().find("started")) in_slurm.started = seconds_of_time(started->text());
      }
    }
  } catch (const Error&) {  // told when the record is read
  }
  evidence.folds_done = !folds.empty() && std::all_of(folds.begin(), folds.end(), [&](int k) {
    return FoldFolder{run_ / ("fold-" + std::to_string(k)), k}.finished();
  });
  State out;
  try {
    evidence.ended = read_ended(run_);
  } catch (const Error&) {
    evidence.ended.reset();
  }
  const StatusInSlurm status = status_with_slurm(status_of(evidence, host_name()), run_, in_slurm);
  out.status = status.status;
  out.may_change = status.has_job;
  if (out.status == RunStatus::failed) out.error = evidence.ended->error;
  if (out.status == RunStatus::failed || out.status == RunStatus::interrupted) out.hint = evidence.ended->hint;
  return out;
}

}  // namespace nephron::host
