#include <host/runs/environment.hpp>

#include <ctime>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <thread>

#include <pwd.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>
#include <nephron/plugin.hpp>
#include <nephron/version.hpp>

#include <host/runs/run_record.hpp>
#include <host/util/files.hpp>

namespace nephron::host {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

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

std::string cpu_name() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("model name")) return line.substr(std::min(line.size(), line.find(':') + 2));
  return "unknown";
}

std::string user_name() {
  const passwd* const entry = getpwuid(getuid());
  return entry != nullptr ? entry->pw_name : std::to_string(getuid());
}

std::string host_name() {
  char name[256] = "unknown";
  gethostname(name, sizeof name - 1);
  return name;
}

std::string now() {
  const std::time_t t = std::time(nullptr);
  std::tm local = {};
  localtime_r(&t, &local);
  char text[40];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S%z", &local);
  return text;
}

Json command_line() {
  Json out = Json::array();
  std::istringstream words(read_file("/proc/self/cmdline"));
  for (std::string word; std::getline(words, word, '\0');) out.push_back(word);
  return out;
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

std::string environment_json(const Experiment& experiment, const Registry& registry, const EnvironmentFacts& facts) {
  Json out;
  out["started"] = now();
  out["command"] = command_line();
  out["experiment"] = experiment.file.string();
  out["commit"] = commit_of(experiment.file);
  out["seed"] = experiment.seed;
  out["folds"] = facts.folds;
  out["device"] = facts.device;
  out["host"] = host_name();
  out["user"] = user_name();
  out["cpu"] = cpu_name();
  out["cores"] = std::thread::hardware_concurrency();
  out["versions"] = {{"nephron", NEPHRON_STRING(NEPHRON_SDK_MAJOR) "." NEPHRON_STRING(
                                     NEPHRON_SDK_MINOR) "." NEPHRON_STRING(NEPHRON_SDK_PATCH)},
                     {"torch", facts.torch},
                     {"compiler", NEPHRON_COMPILER_ROW}};
  out["program"] = {{"file", fs::read_symlink("/proc/self/exe").string()}, {"sha256", sha256_of("/proc/self/exe")}};
  out["plugins"] = plugins_json(experiment, registry);
  return out.dump(2) + "\n";
}

std::vector<int> folds_of_environment(const fs::path& file) {
  std::vector<int> folds = read_environment(file).folds;
  if (folds.empty()) throw Error(file.string() + " does not say which folds the run was started for");
  return folds;
}

}  // namespace nephron::host
