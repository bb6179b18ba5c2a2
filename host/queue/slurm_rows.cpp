#include <host/queue/slurm_rows.hpp>

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include <nephron/error.hpp>

#include <host/queue/run_progress.hpp>
#include <host/runs/here_and_now.hpp>
#include <host/slurm/slurm_record.hpp>

namespace nephron::host {

namespace {

using At = JobState::At;

/// 2 of "gres:gpu:a100:2"; one where a kind alone is named.
int gpus_in(const std::string& gres) {
  const std::size_t at = gres.find("gpu");
  if (at == std::string::npos) return 0;
  const std::string one = gres.substr(at, gres.find(',', at) - at);
  const std::size_t colon = one.rfind(':');
  const int count = colon == std::string::npos ? 0 : std::atoi(one.c_str() + colon + 1);
  return count > 0 ? count : 1;
}

std::string word_for(const SlurmTask& task) {
  if (task.is_held()) return "held";
  if (task.waits()) return "waiting";
  if (task.state == "COMPLETING") return "stopping";
  std::string out = task.state;
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

/// Of a training its own pace says more than the time that it may take. That of an array is of all its folds. What
/// another user calls a run is not looked into.
std::optional<double> left_of(const SlurmTask& task, double now) {
  if (!task.runs()) return std::nullopt;
  if (!task.run().empty() && !task.task && task.user == user_name()) try {
      if (const auto left = seconds_left(task.run())) return left;
    } catch (const Error&) {  // of another user, or gone
    }
  return task.ends ? std::optional(std::max(0.0, *task.ends - now)) : std::nullopt;
}

QueueTable::Row row_of(const SlurmTask& task, double now) {
  QueueTable::Row row;
  row.job.user = task.user;
  row.job.ticket.id = "slurm:" + task.id();
  row.job.ticket.name = task.name;
  row.job.ticket.run = task.run();
  row.job.ticket.request.gpus = gpus_in(task.gres);
  row.job.ticket.request.cores = task.cores;
  row.job.state.at = task.is_held() ? At::held : task.waits() ? At::waiting : At::running;
  row.state = word_for(task);
  if (task.waits() && !task.reason.empty()) row.why = "Slurm says " + task.reason;
  const double since = task.waits() ? task.submitted : task.started.value_or(task.submitted);
  row.seconds = std::max(0.0, now - since);
  row.left = left_of(task, now);
  if (task.waits() && task.started) row.starts = std::max(0.0, *task.started - now);
  return row;
}

}  // namespace

void add_slurm(QueueTable& table, const SlurmQueue& queue) {
  for (const SlurmTask& task : queue.tasks)
    if (task.is_ours()) table.rows.push_back(row_of(task, table.now.wall));
  // Who never used it needs not know that it is away.
  if (!queue.problem.empty() && has_records()) table.problems.push_back(queue.problem);
}

}  // namespace nephron::host
