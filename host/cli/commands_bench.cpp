// Paired benchmarks: nephron and the program that people use today do the same job in turn, several rounds; medians and
// ratios are reported. What is run stands in tests/bench/*.toml; this file only runs and compares.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <thread>

#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include <host/cli/command.hpp>
#include <host/config/load.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/pages.hpp>

namespace nephron::host {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// One number of a pair, by its key in the line of JSON that both sides print.
struct Measure {
  std::string key;
  std::string unit;
  std::string better = "lower";
  std::optional<double> bar;    ///< ratio that must be reached
  std::optional<double> limit;  ///< ours must be on its good side
  static void describe(Schema<Measure>& s) {
    s.field("key", &Measure::key, "key of the number in the JSON lines").required();
    s.field("unit", &Measure::unit, "shown behind it");
    s.field("better", &Measure::better, "which way is good").choices({"lower", "higher"});
    s.field("bar", &Measure::bar, "how many times better ours must be").at_least(0);
    s.field("limit", &Measure::limit, "the worst that ours may be, whatever the peer");
  }
};

struct Pair {
  std::string name;
  std::string ours;
  std::string peer;
  std::vector<Measure> measures;
  static void describe(Schema<Pair>& s) {
    s.field("name", &Pair::name, "told in the report").required();
    s.field("ours", &Pair::ours,
            "shell command that ends in a line of JSON; {nephron}, {python}, {peers}, {data} and {bench} stand for "
            "paths, {size} for short or full, {round} for 0, 1, ...")
        .required();
    s.field("peer", &Pair::peer, "the other's command; empty: only limits are checked");
    s.field("measure", &Pair::measures, "what is compared").required();
  }
};

struct Benchmark {
  std::string doc;
  std::vector<Pair> pairs;
  static void describe(Schema<Benchmark>& s) {
    s.field("doc", &Benchmark::doc, "what is measured").required();
    s.field("pair", &Benchmark::pairs, "who is compared with whom").required();
  }
};

struct Request {
  std::vector<std::string> names;
  int rounds = 3;
  bool list = false, json = false, full = false;
  fs::path folder;
};

/// tests/bench of the source tree: above the current folder or above the program.
fs::path bench_folder() {
  std::error_code error;
  for (fs::path start : {fs::current_path(error), fs::read_symlink("/proc/self/exe", error)})
    for (fs::path at = start; at.has_relative_path(); at = at.parent_path())
      if (fs::is_directory(at / "tests/bench", error)) return at / "tests/bench";
  throw Error("there is no tests/bench above the current folder",
              "run `./nephron bench` in the source tree, or name its folder with --dir");
}

Benchmark read_benchmark(const fs::path& file) {
  Diagnostics faults;
  DecodeContext context{faults};
  Benchmark out = schema_of<Benchmark>().decode(parse_toml(file), context);
  if (!faults.empty()) throw ConfigError(faults);
  return out;
}

std::string from_environment(const char* name, const fs::path& otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : otherwise.string();
}

std::string in_quotes(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

/// What stands for {name} in the commands.
class Places {
 public:
  explicit Places(const Request& request) {
    const fs::path root = fs::absolute(request.folder).parent_path().parent_path();
    const char* home = std::getenv("HOME");
    const fs::path cache = from_environment("XDG_CACHE_HOME", fs::path(home != nullptr ? home : "/") / ".cache");
    const fs::path shared = from_environment("NEPHRON_SHARED", root.parent_path() / "shared");
    values_ = {{"nephron", program_file().string()},
               {"python", from_environment("NEPHRON_PEERS", cache / "nephron/peers/bin/python")},
               {"peers", (shared / "peers").string()},
               {"data", (shared / "data").string()},
               {"bench", fs::absolute(request.folder).string()},
               {"size", request.full ? "full" : "short"}};
  }

  std::string fill(std::string command, int round) const {
    auto values = values_;
    values["round"] = std::to_string(round);
    for (const auto& [name, value] : values)
      for (std::size_t at; (at = command.find("{" + name + "}")) != std::string::npos;)
        command.replace(at, name.size() + 2, in_quotes(value));
    return command;
  }

  /// Why this command cannot run here, or "".
  std::string missing(const std::string& command) const {
    std::error_code error;
    for (const char* name : {"python", "peers", "data"})
      if (command.find("{" + std::string(name) + "}") != std::string::npos && !fs::exists(values_.at(name), error))
        return values_.at(name) + " is not there (" +
               (std::string(name) == "python"
                    ? "NEPHRON_PEERS names the Python of the peers; `./nephron peers` installs it"
                    : "NEPHRON_SHARED names the folder of peers and data") +
               ")";
    return {};
  }

 private:
  std::map<std::string, std::string> values_;
};

/// The last line of JSON that the command prints. Throws Error with the end of its output when it fails.
Json run(const std::string& command) {
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(("{ " + command + "\n} 2>&1").c_str(), "re"), ::pclose);
  if (pipe == nullptr) throw Error("cannot start a shell");
  std::string output;
  char part[4096];
  while (const std::size_t n = std::fread(part, 1, sizeof part, pipe.get())) output.append(part, n);
  const int status = ::pclose(pipe.release());
  if (interrupted()) throw Cancelled();
  const std::string end = output.substr(output.size() > 1500 ? output.size() - 1500 : 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) throw Error("this command failed: " + command + "\n" + end);
  Json found;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("{"))
      if (Json json = Json::parse(line, nullptr, false); json.is_object()) found = std::move(json);
  if (!found.is_object()) throw Error("this command printed no line of JSON: " + command + "\n" + end);
  return found;
}

std::optional<double> median(const std::vector<Json>& runs, const std::string& key) {
  std::vector<double> values;
  for (const Json& run : runs)
    if (run.contains(key) && run[key].is_number()) values.push_back(run[key].get<double>());
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());
  return (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2;
}

std::string shown(std::optional<double> value, const std::string& unit) {
  if (!value) return "-";
  char text[48];
  std::snprintf(text, sizeof text, "%.4g", *value);
  return text + (unit.empty() ? "" : " " + unit);
}

Json number(std::optional<double> value) { return value ? Json(*value) : Json(); }

/// One line of the report. A bar without a peer is "not measured", never met.
Json compare(const std::string& name, const Measure& m, const std::vector<Json>& ours, const std::vector<Json>& peer) {
  const bool lower = m.better == "lower";
  const auto a = median(ours, m.key), b = median(peer, m.key);
  std::optional<double> ratio;
  if (a && b && *a > 0 && *b > 0) ratio = lower ? *b / *a : *a / *b;
  std::string verdict = m.bar || m.limit ? "met" : "no bar";
  if ((m.bar && ratio && *ratio < *m.bar) || (m.limit && a && (lower ? *a > *m.limit : *a < *m.limit)))
    verdict = "NOT MET";
  else if ((m.bar && !ratio) || (m.limit && !a)) verdict = "not measured";
  return Json{{"name", name},           {"measure", m.key},     {"unit", m.unit},
              {"better", m.better},     {"ours", number(a)},    {"peer", number(b)},
              {"ratio", number(ratio)}, {"bar", number(m.bar)}, {"limit", number(m.limit)},
              {"verdict", verdict}};
}

void print(const Json& line) {
  const auto value = [&](const char* key) {
    return line[key].is_number() ? std::optional(line[key].get<double>()) : std::nullopt;
  };
  const std::string unit = line["unit"];
  const std::string bar =
      (value("bar") ? shown(value("bar"), "x") : "") +
      (value("limit") ? (value("bar") ? ", " : "") + std::string("limit ") + shown(value("limit"), unit) : "");
  std::printf("%-34s %-14s ours %-14s peer %-14s ratio %-7s bar %-16s %s\n", line["name"].get<std::string>().c_str(),
              line["measure"].get<std::string>().c_str(), shown(value("ours"), unit).c_str(),
              shown(value("peer"), unit).c_str(), shown(value("ratio"), "").c_str(), bar.empty() ? "-" : bar.c_str(),
              line["verdict"].get<std::string>().c_str());
  std::fflush(stdout);
}

/// How ours divides: shares by name.
void print_division(const Json& division) {
  for (const auto& [name, share] : division.items())
    if (share.is_number()) std::printf("  %5.1f %%  %s\n", 100 * share.get<double>(), name.c_str());
}

Json machine() {
  utsname name{};
  ::uname(&name);
  std::string cpu = "unknown", flags;
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) cpu = line.substr(line.find(':') + 2);
    if (line.starts_with("flags")) flags = line + " ";
  }
  return Json{{"host", name.nodename},
              {"cpu", cpu},
              {"cores", std::thread::hardware_concurrency()},
              {"avx512", flags.find(" avx512f ") != std::string::npos},
              {"bf16_instructions",
               flags.find(" avx512_bf16 ") != std::string::npos || flags.find(" amx_bf16 ") != std::string::npos}};
}

/// Both sides in turn, so that a slow minute of the machine falls on both.
Json run_pair(const std::string& benchmark, const Pair& pair, const Places& places, const Request& request,
              bool& failed) {
  const std::string name = benchmark + "/" + pair.name;
  std::vector<Json> ours, peer;
  std::string absent = pair.peer.empty() ? "" : places.missing(pair.peer);
  try {
    if (const std::string why = places.missing(pair.ours); !why.empty()) throw Error(why);
    for (int round = 0; round < request.rounds; ++round) {
      ours.push_back(run(places.fill(pair.ours, round)));
      if (!pair.peer.empty() && absent.empty()) peer.push_back(run(places.fill(pair.peer, round)));
    }
  } catch (const Cancelled&) {
    throw;
  } catch (const Error& e) {
    failed = true;
    absent = e.what();
  }
  Json lines = Json::array();
  for (const Measure& m : pair.measures) lines.push_back(compare(name, m, ours, peer));
  if (!request.json) {
    for (const Json& line : lines) print(line);
    if (!ours.empty() && ours.back().contains("division")) print_division(ours.back()["division"]);
    if (!absent.empty()) std::printf("  not measured: %s\n", absent.c_str());
  }
  return Json{{"pair", name}, {"rounds", request.rounds}, {"lines", lines}, {"absent", absent}, {"ours", ours},
              {"peer", peer}};
}

int bench(const Request& asked) {
  Request request = asked;
  if (request.folder.empty()) request.folder = bench_folder();
  std::map<std::string, Benchmark> known;
  for (const auto& entry : fs::directory_iterator(request.folder))
    if (entry.path().extension() == ".toml") known[entry.path().stem().string()] = read_benchmark(entry.path());
  std::vector<std::string> names;
  for (const auto& [name, benchmark] : known) names.push_back(name);
  for (const std::string& name : request.names)
    if (!known.contains(name)) {
      const std::string near = nearest(name, names);
      std::fprintf(stderr, "error: unknown benchmark \"%s\"%s\n", name.c_str(),
                   near.empty() ? "; --list names them" : (", did you mean \"" + near + "\"?").c_str());
      return Exit::usage;
    }
  if (request.list) {
    for (const auto& [name, benchmark] : known) std::printf("%-14s %s\n", name.c_str(), benchmark.doc.c_str());
    return Exit::done;
  }
  const Places places(request);
  Json report{{"machine", machine()}, {"size", request.full ? "full" : "short"}, {"pairs", Json::array()}};
  if (!request.json)
    std::printf("%s, %d cores%s; %s jobs, medians of %d round%s; a ratio above 1 means that ours is better\n",
                report["machine"]["cpu"].get<std::string>().c_str(), report["machine"]["cores"].get<int>(),
                report["machine"]["bf16_instructions"].get<bool>() ? "" : ", no bf16 instructions",
                request.full ? "full" : "short", request.rounds, request.rounds == 1 ? "" : "s");
  bool failed = false;
  for (const std::string& name : request.names.empty() ? names : request.names)
    for (const Pair& pair : known.at(name).pairs)
      report["pairs"].push_back(run_pair(name, pair, places, request, failed));
  if (request.json) std::printf("%s\n", report.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
  return failed ? Exit::failed : Exit::done;
}

void add_bench(CLI::App& app, int& exit) {
  const auto request = std::make_shared<Request>();
  CLI::App* command = app.add_subcommand("bench", "Run the paired benchmarks: ours and the peer in turn");
  command->add_option("NAME", request->names, "Which; all when none is named");
  command->add_flag("--list", request->list, "Name them");
  command->add_flag("--json", request->json, "Everything measured, as JSON");
  command->add_flag("--full", request->full, "The long jobs, for figures that are published");
  command->add_option("--rounds", request->rounds, "Times each side runs")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_option("--dir", request->folder, "Folder of the descriptors")->check(CLI::ExistingDirectory);
  command->callback([request, &exit] { exit = bench(*request); });
}
NEPHRON_COMMAND("bench", 80, add_bench)

}  // namespace
}  // namespace nephron::host
