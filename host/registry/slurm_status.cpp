#include <host/registry/slurm_status.hpp>

#include <algorithm>

#include <nephron/error.hpp>

#include <host/slurm/slurm_queue.hpp>
#include <host/slurm/slurm_record.hpp>

namespace nephron::host {

RunStatus status_with_slurm(RunStatus by_its_files, const std::filesystem::path& run) try {
  if (by_its_files == RunStatus::running || by_its_files == RunStatus::finished) return by_its_files;
  const auto record = read_slurm_record(run);
  if (!record) return by_its_files;
  const auto queue = slurm_just_now();
  if (queue == nullptr || !queue->problem.empty()) return by_its_files;
  const std::vector<SlurmTask> tasks = queue->of(record->job);
  const auto any = [&](bool (*is_so)(const SlurmTask&)) { return std::any_of(tasks.begin(), tasks.end(), is_so); };
  // One that is on its way out has left its own word.
  if (any([](const SlurmTask& task) { return task.runs() && task.state != "COMPLETING"; })) return RunStatus::running;
  if (any([](const SlurmTask& task) { return task.waits(); })) return RunStatus::waiting;
  return by_its_files;
} catch (const Error&) {  // a damaged record is told of when the run's facts are read
  return by_its_files;
}

}  // namespace nephron::host
