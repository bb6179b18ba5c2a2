#include <host/registry/slurm_status.hpp>

#include <algorithm>
#include <charconv>
#include <memory>
#include <vector>

#include <nephron/error.hpp>

#include <host/slurm/slurm_queue.hpp>
#include <host/slurm/slurm_record.hpp>

namespace nephron::host {

namespace {

using Tasks = std::vector<SlurmTask>;

bool any(const Tasks& tasks, bool (*is_so)(const SlurmTask&)) { return std::any_of(tasks.begin(), tasks.end(), is_so); }

/// One that is on its way out has left its own word.
bool runs_on(const SlurmTask& task) { return task.runs() && task.state != "COMPLETING"; }
bool waits(const SlurmTask& task) { return task.waits(); }

Tasks tasks_named(const SlurmQueue& queue, const std::string& job) {
  const std::size_t behind = job.find('_');
  std::optional<int> task;
  if (behind != std::string::npos) std::from_chars(job.data() + behind + 1, job.data() + job.size(), task.emplace());
  return queue.of(job.substr(0, behind), task);
}

/// Of a run that is the business of its job alone.
RunStatus of_its_own_job(RunStatus by_its_files, const Tasks& tasks) {
  if (any(tasks, runs_on)) return RunStatus::running;
  return any(tasks, waits) ? RunStatus::waiting : by_its_files;
}

/// Of a run that its job trained last, and perhaps trains others meanwhile: a process of a sweep.
RunStatus of_last_job(RunStatus by_its_files, const Tasks& tasks, const SlurmSession& last) {
  if (by_its_files == RunStatus::failed || by_its_files == RunStatus::paused) return by_its_files;
  if (any(tasks, waits)) return RunStatus::waiting;
  // A job that was started anew since has not come back to it yet. Clocks of machines may differ.
  constexpr double unsure = 60;
  const bool anew =
      last.started && std::any_of(tasks.begin(), tasks.end(), [&](const SlurmTask& task) {
        return runs_on(task) && task.started && static_cast<double>(*last.started) < *task.started - unsure;
      });
  if (anew) return RunStatus::waiting;
  return by_its_files == RunStatus::unknown && any(tasks, runs_on) ? RunStatus::running : by_its_files;
}

}  // namespace

StatusInSlurm status_with_slurm(RunStatus by_its_files, const std::filesystem::path& run,
                                const SlurmSession& last) try {
  if (by_its_files == RunStatus::running || by_its_files == RunStatus::finished) return {by_its_files};
  const auto record = read_slurm_record(run);
  if (!record && last.job.empty()) return {by_its_files};
  const auto queue = slurm_just_now();
  if (queue == nullptr || !queue->problem.empty()) return {by_its_files};
  const Tasks tasks = record ? queue->of(record->job) : tasks_named(*queue, last.job);
  return {record ? of_its_own_job(by_its_files, tasks) : of_last_job(by_its_files, tasks, last), !tasks.empty()};
} catch (const Error&) {  // a damaged record is told of when the run's facts are read
  return {by_its_files};
}

}  // namespace nephron::host
