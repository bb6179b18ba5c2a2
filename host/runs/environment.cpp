#include <host/runs/environment.hpp>

#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <thread>

#include <unistd.h>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>
#include <nephron/plugin.hpp>
#include <nephron/version.hpp>

#include <host/runs/build.hpp>
#include <host/runs/here_and_now.hpp>
#include <host/runs/process.hpp>
#include <host/util/checked_json.hpp>
#include <host/util/files.hpp>

namespace nephron::host {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

constexpr const char* version =
    NEPHRON_STRING(NEPHRON_SDK_MAJOR) "." NEPHRON_STRING(NEPHRON_SDK_MINOR) "." NEPHRON_STRING(NEPHRON_SDK_PATCH);
constexpr std::int64_t most_folds = 1000000;

std::string first_line(const fs::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

/// Every `type = "..."` of the experiment, at any depth: names of components, and perhaps others that match none.
void collect_types(const Value& value, std::set<std::string>& out) {
  if (value.is(Value::Type::table)) {
    for (const auto& member : value.table()) {
      if (member.key == "type" && member.value.is(Value::Type::string)) out.insert(member.value.string());
      collect_types(member.value, out);
    }
  } else if (value.is(Value::Type::array)) {
    for (const Value& item : value.array()) collect_types(item, out);
  }
}

Json plugins_json(const Experiment& experiment, const Registry& registry) {
  std::set<std::string> types;
  collect_types(experiment.resolved, types);
  types.insert(experiment.validation_sampler.type);  // which need not be written
  std::map<fs::path, Json> files;
  for (const ComponentInfo& info : registry.components()) {
    if (!types.contains(info.name)) continue;
    Json& entry = files[info.file];
    if (entry.is_null())
      entry = {{"plugin", info.plugin},
               {"version", info.version},
               {"file", info.file.string()},
               {"sha256", sha256_of(info.file)}};
    entry["components"].push_back(info.kind + " " + info.name);
  }
  Json out = Json::array();
  for (auto& [file, entry] : files) out.push_back(std::move(entry));
  return out;
}

Json command_line() {
  Json out = Json::array();
  std::istringstream words(read_file("/proc/self/cmdline"));
  for (std::string word; std::getline(words, word, '\0');) out.push_back(word);
  return out;
}

/// The job or the task of an array of Slurm's in which this process runs, as squeue names it; "" where it is none.
std::string slurm_job() {
  const auto variable = [](const char* name) {
    const char* const text = std::getenv(name);
    return std::string(text == nullptr ? "" : text);
  };
  const std::string array = variable("SLURM_ARRAY_JOB_ID"), task = variable("SLURM_ARRAY_TASK_ID");
  return array.empty() || task.empty() ? variable("SLURM_JOB_ID") : array + "_" + task;
}

Json session_json(const SessionFacts& session, const std::vector<PluginChange>& changes) {
  Json out{{"started", time_text()},
           {"host", host_name()},
           {"pid", getpid()},
           {"device", session.device},
           {"nephron", version},
           {"commit", built_from()},
           {"torch", session.torch},
           {"threads", session.threads},
           {"command", command_line()},
           {"overrides", session.overrides},
           {"plugins", Json::array()},
           {"changed_plugins", Json::array()},
           {"experiment_edited", session.experiment_edited}};
  if (const std::string job = slurm_job(); !job.empty()) out["slurm"] = job;
  for (const fs::path& file : session.plugins) out["plugins"].push_back(fs::absolute(file).lexically_normal().string());
  for (const PluginChange& c : changes)
    out["changed_plugins"].push_back(
        {{"plugin", c.plugin}, {"file", c.file.string()}, {"was", c.was}, {"sha256", c.now}});
  return out;
}

Json from_json(const std::vector<FoldOrigin>& from) {
  Json out = Json::array();
  for (const FoldOrigin& f : from)
    out.push_back({{"fold", f.fold},
                   {"run", f.run.string()},
                   {"from_fold", f.from_fold},
                   {"checkpoint", f.checkpoint},
                   {"step", f.step},
                   {"weights", f.weights.string()},
                   {"sha256", f.sha256}});
  return out;
}

/// A command line may hold bytes that are no UTF-8.
std::string text_of(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

JsonNode read(const fs::path& file) {
  return JsonNode::read(file,
                        "It was written when the run began. If it cannot be mended, start a new run from these "
                        "weights: nephron train EXP.toml --from " +
                            file.parent_path().string());
}

}  // namespace

std::string commit_of(const fs::path& path) {
  std::error_code failed;
  for (fs::path folder = fs::absolute(path, failed); !failed; folder = folder.parent_path()) {
    fs::path git = folder / ".git";
    if (fs::is_regular_file(git, failed)) {  // a linked work tree: "gitdir: PATH"
      const std::string line = first_line(git);
      if (line.starts_with("gitdir: ")) git = folder / line.substr(8);
    }
    if (fs::exists(git / "HEAD", failed)) {
      const std::string head = first_line(git / "HEAD");
      if (!head.starts_with("ref: ")) return head;
      const std::string ref = head.substr(5);
      const std::string common = first_line(git / "commondir");
      const fs::path shared = common.empty() ? git : git / common;
      if (const std::string id = first_line(shared / ref); !id.empty()) return id;
      std::ifstream packed(shared / "packed-refs");
      for (std::string line; std::getline(packed, line);)
        if (line.ends_with(" " + ref)) return line.substr(0, line.find(' '));
      return "";
    }
    if (folder == folder.parent_path()) break;
  }
  return "";
}

std::string environment_json(const Experiment& experiment, const Registry& registry, const SessionFacts& session,
                             const std::vector<int>& folds, const std::vector<FoldOrigin>& from) {
  Json out;
  out["started"] = time_text();
  out["command"] = command_line();
  out["experiment"] = experiment.file.string();
  out["commit"] = commit_of(experiment.file);
  out["seed"] = experiment.seed;
  out["folds"] = folds;
  out["device"] = session.device;
  out["host"] = host_name();
  out["user"] = user_name();
  out["cpu"] = cpu_name();
  out["cores"] = std::thread::hardware_concurrency();
  out["versions"] = {
      {"nephron", version}, {"commit", built_from()}, {"torch", session.torch}, {"compiler", NEPHRON_COMPILER_ROW}};
  out["program"] = {{"file", fs::read_symlink("/proc/self/exe").string()}, {"sha256", sha256_of("/proc/self/exe")}};
  out["plugins"] = plugins_json(experiment, registry);
  if (!from.empty()) out["from"] = from_json(from);
  if (!session.rerun_of.empty()) out["rerun_of"] = session.rerun_of.string();
  out["sessions"] = Json::array();
  if (!session.none_yet) out["sessions"].push_back(session_json(session, {}));
  return text_of(out);
}

void add_session(const fs::path& file, const SessionFacts& session, const std::vector<PluginChange>& changes) {
  const JsonNode environment = read(file);
  Json out = environment.raw();
  if (const auto sessions = environment.find("sessions")) sessions->items();  // throws for what is no list
  else out["sessions"] = Json::array();  // of a run that began before sessions were written down
  out["sessions"].push_back(session_json(session, changes));
  write_file_atomically(file, text_of(out));
}

std::vector<PluginChange> changed_plugins(const fs::path& file, const Experiment& experiment,
                                          const Registry& registry) {
  std::map<std::string, std::string> before;
  for (const JsonNode& entry : read(file).at("plugins").items())
    before[entry.at("plugin").text()] = entry.at("sha256").text();
  std::vector<PluginChange> out;
  for (const UsedPlugin& plugin : used_plugins(experiment, registry))
    if (const std::string was = before[plugin.plugin]; was != plugin.sha256)
      out.push_back({plugin.plugin, plugin.file, was, plugin.sha256});
  return out;
}

std::vector<UsedPlugin> used_plugins(const Experiment& experiment, const Registry& registry) {
  std::vector<UsedPlugin> out;
  for (const Json& entry : plugins_json(experiment, registry))
    out.push_back({entry.at("plugin"), entry.at("file").get<std::string>(), entry.at("sha256")});
  return out;
}

std::vector<int> folds_of_environment(const fs::path& file) {
  std::vector<int> out;
  for (const JsonNode& k : read(file).at("folds").items()) out.push_back(static_cast<int>(k.integer(0, most_folds)));
  return out;
}

std::vector<FoldOrigin> origins_of_environment(const fs::path& file) {
  std::vector<FoldOrigin> out;
  const auto from = read(file).find("from");
  if (!from) return out;
  for (const JsonNode& entry : from->items())
    out.push_back({static_cast<int>(entry.at("fold").integer(0, most_folds)), entry.at("run").text(),
                   static_cast<int>(entry.at("from_fold").integer(0, most_folds)), entry.at("checkpoint").text(),
                   entry.at("step").integer(0, INT64_MAX), entry.at("weights").text(), entry.at("sha256").text()});
  return out;
}

}  // namespace nephron::host
