#include <host/slurm/slurm_change.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <regex>
#include <sstream>
#include <thread>

#include <nephron/error.hpp>

#include <host/runs/run.hpp>
#include <host/runs/run_record.hpp>
#include <host/slurm/slurm_queue.hpp>
#include <host/slurm/slurm_submit.hpp>
#include <host/slurm/slurm_tool.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/log.hpp>
#include <host/util/shell_word.hpp>
#include <host/util/usage_error.hpp>

namespace nephron::host {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

constexpr double patience_to_change = 60;
constexpr const char* prefix = "slurm:";

void tell_slurm(const std::vector<std::string>& command) {
  const SlurmAnswer answer = run_slurm(command, patience_to_change);
  if (answer.good()) return;
  std::string text;
  for (const std::string& word : command) text += (text.empty() ? "" : " ") + word;
  throw Error("Slurm refused: " + text +
              (answer.complaint.empty() ? ": exit code " + std::to_string(answer.code) : ": " + answer.complaint));
}

/// What of it waits or runs.
std::vector<SlurmTask> tasks_of(const SlurmId& id) {
  const auto queue = ask_slurm();
  if (!queue) throw Error("Slurm is not here: there is no squeue in PATH", "Log in where jobs are submitted.");
  if (!queue->problem.empty()) throw Error(queue->problem);
  return queue->of(id.job, id.task);
}

/// Throws UsageError where nothing of it waits or runs.
std::vector<SlurmTask> live_tasks(const SlurmId& id) {
  std::vector<SlurmTask> out = tasks_of(id);
  if (out.empty())
    throw UsageError(id.text() + " neither waits nor runs: it is over, or there is no such job",
                     "nephron queue lists jobs; scontrol show job " + id.number() + " tells of one that ended lately.");
  return out;
}

bool any_runs(const std::vector<SlurmTask>& tasks) {
  return std::any_of(tasks.begin(), tasks.end(), [](const SlurmTask& task) { return task.runs(); });
}

/// The value of "KEY=" in what scontrol shows of a job.
std::string value_of(const std::string& shown, const std::string& key) {
  const std::size_t at = shown.find(key + "=");
  if (at == std::string::npos) return {};
  const std::size_t begin = at + key.size() + 1;
  return shown.substr(begin, shown.find_first_of(" \n", begin) - begin);
}

/// Of what scontrol shows of a job or a task in one line.
std::optional<int> exit_code_in(const std::string& shown) {
  int code = 0, signal = 0;
  if (std::sscanf(value_of(shown, "ExitCode").c_str(), "%d:%d", &code, &signal) != 2)  // "3:0", "0:15"
    return std::nullopt;
  const std::string state = value_of(shown, "JobState");
  if (state == "CANCELLED") return 130;
  if (signal > 0 && code == 0) return 128 + signal;
  // Of a node that was lost, or time that was over, Slurm knows no code.
  return code == 0 && state != "COMPLETED" && state != "COMPLETING" ? 1 : code;
}

/// Of one that ended, of an array the first that is no success; nothing where Slurm has forgotten it.
std::optional<int> exit_code_of(const SlurmId& id) {
  const SlurmAnswer answer = run_slurm({"scontrol", "show", "job", "--oneliner", id.number()}, patience_to_change);
  std::optional<int> out;
  std::istringstream lines(answer.good() ? answer.output : "");
  for (std::string line; std::getline(lines, line);)
    if (const auto code = exit_code_in(line); code && out.value_or(0) == 0) out = code;
  return out;
}

/// Every fold that the run was started for is done.
bool is_finished(const fs::path& run) try {
  const std::vector<int> folds = read_environment(run / "environment.json").folds;
  return !folds.empty() &&
         std::all_of(folds.begin(), folds.end(), [&](int k) { return RunFolder::open(run).fold(k).finished(); });
} catch (const Error&) {  // gone, or damaged: whoever trains it says so
  return false;
}

/// Of what is over. What cannot go on is started twice by nobody who does not know that it failed.
std::string release_ended(const SlurmId& id) {
  if (!id.record || id.job != id.record->job)
    throw UsageError(id.text() + " is over, and nothing is known of it here", "Submit it again.");
  const SlurmRecord& record = *id.record;
  const auto code = exit_code_of(id);
  if (code == 0 || (!record.run.empty() && is_finished(record.run)))
    throw UsageError(id.text() + " is finished", "Submit it again to run it again.");
  if (!code && !record.goes_on)
    throw UsageError(id.text() + " is over, and Slurm does not know any more how it ended",
                     "If it is to run once more: sbatch " + shell_word((record.place / (id.job + ".sh")).string()));
  const SlurmRecord again = hand_to_slurm_again(record, id.task);
  return id.text() + " was over, and is handed over again as slurm:" + again.job;
}

/// Prints what was written to a file since it was last asked.
class GrowingFile {
 public:
  explicit GrowingFile(fs::path file) : file_(std::move(file)) {}
  void print_new() {
    std::ifstream in(file_, std::ios::binary);
    in.seekg(at_);
    char buffer[65536];
    while (in.read(buffer, sizeof buffer), in.gcount() > 0) {
      std::fwrite(buffer, 1, static_cast<std::size_t>(in.gcount()), stdout);
      at_ += in.gcount();
    }
    std::fflush(stdout);
  }

 private:
  fs::path file_;
  std::streamoff at_ = 0;
};

fs::path log_of_slurm(const SlurmId& id) {
  if (id.record && id.job == id.record->job) return id.record->log(id.task);
  if (id.record) return id.record->place / (id.number() + ".log");
  // Not submitted by this user with nephron, or long ago: Slurm knows where it writes as long as it knows the job.
  const SlurmAnswer answer = run_slurm({"scontrol", "show", "job", "--oneliner", id.number()}, patience_to_change);
  const std::string file = answer.good() ? value_of(answer.output, "StdOut") : "";
  if (file.empty()) throw UsageError("nothing is known of " + id.text() + " any more", "nephron queue lists jobs.");
  return file;
}

/// Whether what it says has been shown for so long; false after Ctrl-C.
bool shown_for(GrowingFile& file, std::chrono::steady_clock::duration time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (!interrupted() && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(100ms);
    file.print_new();
  }
  return !interrupted();
}

/// Its exit code when it is over; nothing after Ctrl-C.
std::optional<int> follow_log(const SlurmId& id, GrowingFile& file) {
  constexpr auto between_questions = 3s;  // a controller serves thousands
  for (bool told = false;; told = true) {
    const auto queue = ask_slurm();
    file.print_new();
    if (queue && !queue->problem.empty()) throw Error(queue->problem);
    const std::vector<SlurmTask> live = queue ? queue->of(id.job, id.task) : std::vector<SlurmTask>();
    if (live.empty()) return exit_code_of(id);
    if (!told && live.front().waits())
      log().info(id.text() + " waits" + (live.front().reason.empty() ? "" : ": " + live.front().reason));
    if (shown_for(file, between_questions)) continue;
    log().info(id.text() + " goes on; nephron attach " + id.text() + " follows it again");
    return std::nullopt;
  }
}

}  // namespace

std::optional<SlurmId> slurm_id(const std::string& text) {
  SlurmId out;
  if (text.starts_with(prefix)) {
    static const std::regex form("([0-9]{1,11})(?:_([0-9]{1,8}))?");
    std::smatch match;
    const std::string number = text.substr(std::string(prefix).size());
    if (!std::regex_match(number, match, form))
      throw UsageError(
          "\"" + text + "\" is no job of Slurm: slurm:123 was expected, or slurm:123_4 for a task of an array",
          "nephron queue lists jobs.");
    out.job = match[1];
    if (match[2].matched) out.task = std::stoi(match[2]);
    out.record = find_record(out.job);
    return out;
  }
  // A number alone may be a job of the machine's own queue.
  if (text.size() != 6) return std::nullopt;
  std::optional<SlurmRecord> record = find_record(text);
  if (!record || !record->run.filename().string().ends_with("-" + text)) return std::nullopt;
  out.job = record->job;
  out.record = std::move(record);
  return out;
}

std::string cancel_in_slurm(const SlurmId& id) {
  const std::vector<SlurmTask> tasks = live_tasks(id);
  std::vector<std::string> command{"scancel", id.number()};
  if (id.record && !id.task && !id.record->then.empty()) command.push_back(id.record->then);
  tell_slurm(command);
  return id.text() + (any_runs(tasks) ? " is told to end; what it has saved stays" : " is out of the queue") +
         (id.record && !id.record->run.empty() ? "; its run stays: " + id.record->run.string() : "");
}

std::string hold_in_slurm(const SlurmId& id) {
  const std::vector<SlurmTask> tasks = live_tasks(id);
  const bool runs = any_runs(tasks);
  if (runs && !(id.record && id.record->goes_on))
    throw UsageError(id.text() + " runs, and cannot go on where it is stopped",
                     "nephron cancel " + id.text() + " ends it; submit --resumable hands over commands that can.");
  // Requeued, each saves; held, none begins again by itself.
  for (const SlurmTask& task : tasks) tell_slurm({"scontrol", task.runs() ? "requeuehold" : "hold", task.id()});
  return id.text() + (runs ? " is told to save and stop" : " is held") + "; nephron release " + id.text() +
         " puts it in line again";
}

std::string release_in_slurm(const SlurmId& id) {
  const std::vector<SlurmTask> tasks = tasks_of(id);
  if (tasks.empty()) return release_ended(id);
  if (std::none_of(tasks.begin(), tasks.end(), [](const SlurmTask& task) { return task.is_held(); }))
    throw UsageError(id.text() + (any_runs(tasks) ? " runs" : " waits") + "; what is held can be released");
  for (const SlurmTask& task : tasks)
    if (task.is_held()) tell_slurm({"scontrol", "release", task.id()});
  return id.text() + " is in line again";
}

std::optional<int> show_slurm_log(const SlurmId& id, bool follow) {
  const bool array = id.record && id.job == id.record->job && !id.record->tasks.empty() && !id.task;
  if (!array) {
    GrowingFile log(log_of_slurm(id));
    if (follow) return follow_log(id, log);
    log.print_new();
    return std::nullopt;
  }
  if (follow) {
    const SlurmId first{id.job, id.record->tasks.front(), id.record};
    throw UsageError(id.text() + " is an array, whose tasks have a log each", "One of them: " + first.text());
  }
  for (const int task : id.record->tasks) {
    const fs::path file = id.record->log(task);
    std::error_code none;
    if (!fs::exists(file, none)) continue;
    std::printf("==> %s_%d <==\n", id.text().c_str(), task);
    GrowingFile(file).print_new();
  }
  return std::nullopt;
}

}  // namespace nephron::host
