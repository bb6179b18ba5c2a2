#include <host/slurm/slurm_queue.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <mutex>
#include <sstream>

#include <host/slurm/slurm_record.hpp>
#include <host/slurm/slurm_script.hpp>
#include <host/slurm/slurm_tool.hpp>

namespace nephron::host {

namespace {

/// Seconds: whoever lists runs is not kept waiting by a controller that is away.
constexpr double patience = 4;

/// Stands in no name that a person gives.
constexpr char between = '\x1f';
/// In the order in which task_in() reads them.
constexpr const char* fields[] = {"%F", "%K", "%T", "%r", "%u", "%P", "%C", "%b", "%V", "%S", "%e", "%k", "%j"};

std::optional<int> number_in(const std::string& text) {
  int out = 0;
  const auto [stop, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
  return failed == std::errc() && stop == text.data() + text.size() ? std::optional(out) : std::nullopt;
}

/// "2026-01-31T12:00:00", by the clock of this machine.
std::optional<double> time_in(const std::string& text) {
  std::tm time = {};
  if (::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &time) == nullptr) return std::nullopt;
  time.tm_isdst = -1;
  const std::time_t out = std::mktime(&time);
  return out < 0 ? std::nullopt : std::optional(static_cast<double>(out));
}

std::optional<SlurmTask> task_in(const std::string& line) {
  std::vector<std::string> words(1);
  for (const char c : line)
    if (c == between) words.emplace_back();
    else words.back() += c;
  if (words.size() != std::size(fields)) return std::nullopt;
  const auto text = [&](std::size_t i) { return words[i] == "(null)" || words[i] == "N/A" ? "" : words[i]; };
  SlurmTask out;
  out.job = text(0);
  out.task = number_in(words[1]);
  out.state = text(2);
  out.reason = text(3) == "None" ? "" : text(3);
  out.user = text(4), out.partition = text(5);
  out.cores = number_in(words[6]).value_or(0);
  out.gres = text(7);
  out.submitted = time_in(words[8]).value_or(0);
  out.started = time_in(words[9]), out.ends = time_in(words[10]);
  out.comment = text(11), out.name = text(12);
  return out;
}

/// Without a configuration squeue would ask the network for one, and keep people waiting who have no cluster.
bool is_a_cluster_known() {
  if (std::getenv("SLURM_CONF") != nullptr) return true;
  for (const char* const file : {"/etc/slurm/slurm.conf", "/etc/slurm-llnl/slurm.conf", "/run/slurm/conf/slurm.conf"})
    if (std::error_code none; std::filesystem::exists(file, none)) return true;
  return has_records();
}

bool is_any_of(const std::string& state, std::initializer_list<const char*> states) {
  return std::any_of(states.begin(), states.end(), [&](const char* one) { return state == one; });
}

}  // namespace

bool SlurmTask::waits() const { return is_any_of(state, {"PENDING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED"}); }

bool SlurmTask::is_held() const {
  // "JobHeldUser", "JobHeldAdmin", "job requeued in held state".
  const bool said = reason.find("Held") != std::string::npos || reason.find("held") != std::string::npos;
  return waits() && (said || state == "REQUEUE_HOLD");
}

bool SlurmTask::runs() const {
  return is_any_of(state, {"RUNNING", "CONFIGURING", "COMPLETING", "SUSPENDED", "SIGNALING", "STAGE_OUT", "STOPPED"});
}

bool SlurmTask::is_ours() const { return comment == slurm_mark || comment.starts_with(std::string(slurm_mark) + " "); }

std::filesystem::path SlurmTask::run() const {
  const std::size_t behind = std::string(slurm_mark).size() + 1;
  return is_ours() && comment.size() > behind ? comment.substr(behind) : std::string();
}

std::vector<SlurmTask> SlurmQueue::of(const std::string& job, std::optional<int> task) const {
  std::vector<SlurmTask> out;
  for (const SlurmTask& one : tasks)
    if (one.job == job && (!task || one.task == task)) out.push_back(one);
  return out;
}

std::vector<SlurmTask> tasks_in(const std::string& output) {
  std::vector<SlurmTask> out;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);)
    if (auto task = task_in(line)) out.push_back(*std::move(task));
  return out;
}

std::optional<SlurmQueue> ask_slurm() {
  if (!slurm_is_here() || !is_a_cluster_known()) return std::nullopt;
  std::string format;
  for (const char* const field : fields) format += (format.empty() ? "" : std::string(1, between)) + field;
  const SlurmAnswer answer = run_slurm({"squeue", "--noheader", "--array", "--format=" + format}, patience);
  SlurmQueue out;
  if (!answer.good()) out.problem = "Slurm does not say what waits and runs: " + answer.complaint;
  else out.tasks = tasks_in(answer.output);
  return out;
}

std::shared_ptr<const SlurmQueue> slurm_just_now() {
  using Clock = std::chrono::steady_clock;
  static std::mutex mutex;
  static std::shared_ptr<const SlurmQueue> queue;
  static std::optional<Clock::time_point> asked;
  const std::lock_guard lock(mutex);
  if (!asked || Clock::now() - *asked > std::chrono::seconds(1)) {
    auto answer = ask_slurm();
    queue = answer ? std::make_shared<const SlurmQueue>(*std::move(answer)) : nullptr;
    asked = Clock::now();
  }
  return queue;
}

}  // namespace nephron::host
