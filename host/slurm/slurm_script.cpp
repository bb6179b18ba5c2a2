#include <host/slurm/slurm_script.hpp>

#include <algorithm>
#include <cstdio>
#include <sstream>

#include <host/util/shell_word.hpp>

namespace nephron::host {

namespace {

/// Before the end of its time a training is told to save, as it is by preemption, and goes on when the job comes again.
constexpr const char* told_before_the_end = "--signal=TERM@120";
/// With less it would come and go without getting further.
constexpr double least_time = 600;
/// As little as a user may ask for; the largest niceness that Slurm knows is much larger.
constexpr const char* behind_all = "--nice=1000000";

/// srun starts it as a step, which is what Slurm sends SIGTERM to. The script itself must outlive that signal. What
/// left early with 130 in its grace time would count as failed: it is put in line again, unless Slurm ends the job as a
/// whole (cancelled, out of time, requeued by itself), which its state tells. So is what had nothing to do yet (75).
constexpr const char* run_and_requeue = R"sh(
trap : TERM
srun --mpi=none --ntasks=1 ${SLURM_CPUS_PER_TASK:+--cpus-per-task="$SLURM_CPUS_PER_TASK"} "$@"
code=$?
job="$SLURM_JOB_ID"
# The number of one of the tasks is that of the whole array, too.
[ -z "${SLURM_ARRAY_TASK_ID:-}" ] || job="${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
if { [ "$code" = 130 ] || [ "$code" = 75 ]; } && [ "$(squeue --noheader --format=%T --jobs="$job")" = RUNNING ]; then
  scontrol requeue "$job" && sleep 600  # Slurm ends this script meanwhile
fi
exit "$code"
)sh";

constexpr const char* run_once = R"sh(
trap : TERM
srun --mpi=none --ntasks=1 ${SLURM_CPUS_PER_TASK:+--cpus-per-task="$SLURM_CPUS_PER_TASK"} "$@"
exit $?
)sh";

/// "0,2,3".
std::string numbers_of(const std::vector<int>& tasks) {
  std::string out;
  for (const int task : tasks) out += (out.empty() ? "" : ",") + std::to_string(task);
  return out;
}

/// Seconds of a time as sbatch takes it: MIN, MIN:SEC, H:MIN:SEC, DAYS-H[:MIN[:SEC]]. Nothing for what it refuses.
std::optional<double> seconds_of(const std::string& time) {
  const std::size_t dash = time.find('-');
  double days = 0;
  std::vector<double> parts;
  std::istringstream words(dash == std::string::npos ? time : time.substr(dash + 1));
  try {
    if (dash != std::string::npos) days = std::stod(time.substr(0, dash));
    for (std::string word; std::getline(words, word, ':');) parts.push_back(std::stod(word));
  } catch (const std::exception&) {
    return std::nullopt;
  }
  parts.resize(3);
  if (dash != std::string::npos) return 86400 * days + 3600 * parts[0] + 60 * parts[1] + parts[2];
  const bool hours = std::count(time.begin(), time.end(), ':') == 2;
  return hours ? 3600 * parts[0] + 60 * parts[1] + parts[2] : 60 * parts[0] + parts[1];
}

std::string octal(int mask) {
  char text[8];
  std::snprintf(text, sizeof text, "%04o", static_cast<unsigned>(mask) & 0777U);
  return text;
}

std::string command_text(const SlurmJob& job) {
  std::string out = "set --";
  for (const std::string& word : job.words) out += " " + shell_word(word);
  if (job.array && job.array->word) {
    const auto& [before, behind] = *job.array->word;
    out += " " + (before.empty() ? "" : shell_word(before)) + "\"$SLURM_ARRAY_TASK_ID\"" +
           (behind.empty() ? "" : shell_word(behind));
  }
  return out + "\n";
}

}  // namespace

std::string without_patterns(const std::filesystem::path& path) {
  std::string out;
  for (const char c : path.string()) out += c == '%' ? std::string("%%") : std::string(1, c);
  return out;
}

std::vector<std::string> sbatch_options(const SlurmJob& job, const std::string& output) {
  std::vector<std::string> out{"--job-name=" + job.name,
                               "--output=" + output,
                               "--open-mode=append",
                               "--export=ALL",
                               "--comment=" + std::string(slurm_mark) + (job.run.empty() ? "" : " " + job.run.string()),
                               job.goes_on ? "--requeue" : "--no-requeue"};
  if (job.goes_on && seconds_of(job.time).value_or(least_time) >= least_time) out.emplace_back(told_before_the_end);
  if (job.array) out.push_back("--array=" + numbers_of(job.array->tasks));
  if (!job.gres.empty()) out.push_back("--gres=" + job.gres);
  if (job.cores > 0) out.push_back("--cpus-per-task=" + std::to_string(job.cores));
  if (job.memory_bytes > 0) out.push_back("--mem=" + std::to_string((job.memory_bytes + 1023) / 1024) + "K");
  if (!job.partition.empty()) out.push_back("--partition=" + job.partition);
  if (!job.time.empty()) out.push_back("--time=" + job.time);
  if (job.idle) out.emplace_back(behind_all);
  if (!job.after.empty()) out.push_back("--dependency=afterany:" + job.after);
  out.insert(out.end(), job.more.begin(), job.more.end());
  return out;
}

std::string sbatch_script(const SlurmJob& job, const std::string& output) {
  std::string out = "#!/bin/bash\n";
  for (const std::string& option : sbatch_options(job, output)) out += "#SBATCH " + shell_word(option) + "\n";
  out += "# Written by nephron submit --via slurm.\n\n";
  out += "umask " + octal(job.umask) + "\ncd " + shell_word(job.folder.string()) + " || exit 1\n";
  if (job.cores > 0) out += "export OMP_NUM_THREADS=\"${OMP_NUM_THREADS:-" + std::to_string(job.cores) + "}\"\n";
  if (job.gpu_bytes > 0) out += "export NEPHRON_GPU_MEMORY=" + std::to_string(job.gpu_bytes) + "\n";
  return out + command_text(job) + (job.goes_on ? run_and_requeue : run_once);
}

}  // namespace nephron::host
