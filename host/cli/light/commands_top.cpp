// nephron top: what runs now.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <set>
#include <thread>

#include <unistd.h>

#include <nephron/error.hpp>

#include <host/cli/command.hpp>
#include <host/cli/light/runs_options.hpp>
#include <host/queue/gpu_use.hpp>
#include <host/queue/shares.hpp>
#include <host/registry/process_use.hpp>
#include <host/registry/run_index.hpp>
#include <host/registry/run_pace.hpp>
#include <host/registry/run_table.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/log.hpp>
#include <host/util/printable.hpp>
#include <host/util/progress.hpp>

namespace nephron::host {

namespace {

using Clock = std::chrono::steady_clock;
using Row = std::vector<RunTable::Cell>;

struct TopOptions {
  RunsOptions runs;
  bool once = false, json = false, users = false;
  double every = 2;
};

const std::vector<std::string> columns{"id",   "name",        "user",   "device", "progress",  "eta",
                                       "dice", "tiles_per_s", "waited", "cpu",    "memory_mb", "gpu_mb", "host"};
/// Keys of the index that are shown, or that the rest follows from.
const std::vector<std::string> keys{"id",           "name",
                                    "user",         "device",
                                    "dice",         "tiles_per_s",
                                    "waited",       "host",
                                    "steps",        "folds",
                                    "train.epochs", "train.steps_per_epoch",
                                    "train.batch",  "train.accumulate"};

/// Processor time that runs had taken when they were looked at before.
struct Before {
  Clock::time_point at;
  double cpu_seconds = 0;
};

class Top {
 public:
  explicit Top(const TopOptions& options) : options_(options) {}

  std::vector<Row> rows() {
    RunTable table;
    RunIndex::with(options_.runs.roots(), [&](const RunIndex& index) { table = running(index); });
    const ProcessTable processes = ProcessTable::now();
    on_gpus_ = processes_on(gpus_);
    std::vector<Row> out;
    for (const RunTable::Row& row : table.rows) out.push_back(row_of(table.columns, row, processes));
    return out;
  }

 private:
  static RunTable running(const RunIndex& index) {
    ListRequest request;
    const std::vector<std::string> known = index.keys();
    for (const std::string& key : keys)
      if (std::binary_search(known.begin(), known.end(), key)) request.columns.push_back(key);
    if (!index.runs().empty()) request.filter = Filter::parse("status = running");
    return make_table(index, request);
  }

  Row row_of(const std::vector<std::string>& names, const RunTable::Row& row, const ProcessTable& processes) {
    std::map<std::string, RunTable::Cell> cells;
    for (std::size_t i = 0; i < names.size(); ++i) cells[names[i]] = row.cells[i];
    add_progress(cells);
    if (const auto holder = holder_of(row.run.folder))
      if (const auto use = processes.use_of(*holder)) {
        cells["memory_mb"] = std::round(use->memory_mb);
        if (const auto bytes = on_gpus(processes.below({*holder}))) cells["gpu_mb"] = std::round(*bytes / (1 << 20));
        if (const auto cores = cores_of(row.run.folder, *use)) cells["cpu"] = *cores;
      }
    Row out;
    for (const std::string& column : columns) out.push_back(cells[column]);
    return out;
  }

  /// Bytes of the GPUs' memory; nothing where the driver tells of none.
  std::optional<double> on_gpus(const std::set<pid_t>& processes) const {
    std::optional<double> out;
    for (const GpuProcess& process : on_gpus_)
      if (processes.contains(process.pid)) out = out.value_or(0) + static_cast<double>(process.bytes);
    return out;
  }

  /// Cores that it keeps busy since the last look.
  std::optional<double> cores_of(const std::filesystem::path& run, const ProcessUse& use) {
    const Before now{Clock::now(), use.cpu_seconds};
    const auto [before, is_first] = before_.try_emplace(run, now);
    if (is_first) return std::nullopt;
    const double seconds = std::chrono::duration<double>(now.at - before->second.at).count();
    const double cores = seconds > 0 ? (now.cpu_seconds - before->second.cpu_seconds) / seconds : 0;
    before->second = now;
    return std::round(100 * std::max(0.0, cores)) / 100;
  }

  /// Share of the steps of all folds, and how long the rest takes at the pace of the last steps.
  static void add_progress(std::map<std::string, RunTable::Cell>& cells) {
    const auto pace = pace_of([&](const char* key) -> const FactValue* {
      const RunTable::Cell& cell = cells[key];
      return cell ? &*cell : nullptr;
    });
    if (!pace) return;
    cells["progress"] = std::round(1000 * pace->share) / 1000;
    if (pace->seconds_left) cells["eta"] = std::round(*pace->seconds_left);
  }

  const TopOptions& options_;
  const std::vector<Gpu> gpus_ = gpus_here();
  std::vector<GpuProcess> on_gpus_;  ///< at this look
  std::map<std::filesystem::path, Before> before_;
};

/// Who uses the machine by the queue's tickets, and beside them.
class Users {
 public:
  /// Looks at most every so many seconds: of thousands of jobs that takes its time.
  void look() {
    constexpr auto pause = std::chrono::seconds(5);
    if (Clock::now() < next_) return;
    next_ = Clock::now() + (looked_ ? pause : pause * 0);  // the second look is the first that sees who is busy
    looked_ = true;
    host_ = read_host();
    std::error_code no;
    if (!std::filesystem::exists(host_.spool / "locks", no)) return;  // nobody has a job here
    const std::map<std::string, MeasuredUse> measured = meter_.now(host_);
    shares_ = shares_of(nephron::host::look(Spool(host_.spool), host_), host_, measured);
  }
  std::string text() const { return to_text(shares_, host_); }
  std::string json() const { return to_json(shares_); }

 private:
  HostFile host_;
  UseMeter meter_;
  std::vector<UserShare> shares_;
  Clock::time_point next_{};
  bool looked_ = false;
};

/// As people read it: shares in per cent, times in words.
std::vector<Row> readable(std::vector<Row> rows) {
  for (Row& row : rows)
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const auto value = row[c] ? number_of(*row[c]) : std::nullopt;
      if (!value) continue;
      char text[32];
      std::snprintf(text, sizeof text, "%.1f %%", 100 * *value);
      if (columns[c] == "progress" || columns[c] == "waited") row[c] = std::string(text);
      if (columns[c] == "eta") row[c] = duration_text(*value);
    }
  return rows;
}

std::string text_of_rows(const std::vector<Row>& rows) {
  if (rows.empty()) return "nothing runs\n";
  return to_text(columns, readable(rows), terminal_width());
}

std::string shown(const TopOptions& o, Top& top, Users& users) {
  if (o.users) {
    users.look();
    if (o.json) return users.json();
    const std::string text = users.text();
    return text.empty() ? "nobody uses the queue\n" : text;
  }
  const std::vector<Row> rows = top.rows();
  if (o.json) return to_json(columns, rows);
  try {
    users.look();
  } catch (const Error& e) {  // a spool that is in disorder: queue tells of it
    log().debug(e.what());
  }
  const std::string text = users.text();
  return text_of_rows(rows) + (text.empty() ? "" : "\n" + text);
}

void watch(const TopOptions& o, Top& top, Users& users) {
  const bool terminal = ::isatty(STDOUT_FILENO) != 0;
  while (!interrupted()) {
    const std::string text = shown(o, top, users);
    const std::string clear = terminal && !o.json ? "\033[H\033[2J" : "";
    std::fputs((clear + text).c_str(), stdout);
    std::fflush(stdout);
    const auto next = Clock::now() + std::chrono::duration<double>(o.every);
    while (!interrupted() && Clock::now() < next) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

int show_top(const TopOptions& o) {
  Top top(o);
  Users users;
  if (!o.once) {
    watch(o, top, users);
    return Exit::done;  // Ctrl-C is how it ends
  }
  shown(o, top, users);
  std::this_thread::sleep_for(std::chrono::milliseconds(500));  // how busy they are shows over a while
  std::fputs(shown(o, top, users).c_str(), stdout);
  return Exit::done;
}

void add_top(CLI::App& app, int& exit) {
  CLI::App* const command = app.add_subcommand("top", "What runs now: progress, time left, cores, memory, whose it is");
  const auto o = std::make_shared<TopOptions>();
  command->add_flag("--once", o->once, "Show it once");
  command->add_flag("--json", o->json, "Print JSON");
  command->add_flag("--users", o->users, "Who has used and holds what of the machine by the queue, and uses beside it");
  command->add_option("--every", o->every, "Seconds between looks")
      ->check(CLI::Range(0.5, 3600.0))
      ->capture_default_str();
  o->runs.add_to(*command);
  command->callback([o, &exit] { exit = show_top(*o); });
}

}  // namespace

NEPHRON_COMMAND("top", 43, add_top)

}  // namespace nephron::host
