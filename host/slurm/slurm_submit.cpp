#include <host/slurm/slurm_submit.hpp>

#include <algorithm>

#include <nephron/error.hpp>

#include <host/runs/here_and_now.hpp>
#include <host/slurm/slurm_tool.hpp>
#include <host/util/files.hpp>
#include <host/util/log.hpp>
#include <host/util/random_id.hpp>
#include <host/util/usage_error.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

/// Seconds: sbatch itself waits for a controller that is busy.
constexpr double patience_to_submit = 120;

fs::path place_of(const SlurmJob& job) {
  if (!job.place.empty()) return job.place;
  return job.run.empty() ? own_slurm_folder() : job.run / "slurm";
}

/// A line of the script each: what holds another line would be a command of its own.
void require_lines(const std::vector<std::string>& options) {
  for (const std::string& option : options)
    if (std::any_of(option.begin(), option.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }))
      throw UsageError("an option of sbatch holds a character that is none of a line: " + option.substr(0, 40));
}

fs::path unused_name(const fs::path& place) { return place / ("new-" + random_id() + ".sh"); }

/// "123" or "123;cluster".
std::string number_of(const SlurmAnswer& answer) {
  const std::string out = answer.output.substr(0, answer.output.find_first_of(";\n"));
  if (out.empty() || out.find_first_not_of("0123456789") != std::string::npos)
    throw Error("sbatch said no number of a job, but: " + answer.output.substr(0, 200),
                "squeue --me lists what Slurm has of you.");
  return out;
}

/// Whose script lies in `place`, in a file that bears its number from then on.
std::string submitted_script(const fs::path& place, const fs::path& script, const std::vector<std::string>& options) {
  std::vector<std::string> command{"sbatch", "--parsable"};
  command.insert(command.end(), options.begin(), options.end());
  command.push_back(script.string());
  const SlurmAnswer answer = run_slurm(command, patience_to_submit);
  if (!answer.good())
    throw Error(
        "Slurm did not take the job: " +
            (answer.complaint.empty() ? "sbatch ended with code " + std::to_string(answer.code) : answer.complaint),
        "sinfo shows partitions and what they have; --gres, --partition, --time and --sbatch say more.");
  const std::string number = number_of(answer);
  std::error_code failed;
  fs::rename(script, place / (number + ".sh"), failed);
  return number;
}

/// The number of the job; the script then bears it as its name.
std::string submitted(const SlurmJob& job, const fs::path& place) {
  std::error_code failed;
  fs::create_directories(place, failed);
  require_writable(place, 1 << 16);
  const std::string output = without_patterns(place) + (job.array ? "/%A_%a.log" : "/%j.log");
  const std::vector<std::string> options = sbatch_options(job, output);
  require_lines(options);
  const fs::path script = unused_name(place);
  write_file_atomically(script, sbatch_script(job, output));
  try {
    return submitted_script(place, script, options);
  } catch (...) {
    fs::remove(script, failed);
    throw;
  }
}

/// A copy of the script of a job that was handed over before is handed over.
std::string submitted_again(const fs::path& place, const std::string& job, const std::vector<std::string>& options) {
  const fs::path script = unused_name(place), old = place / (job + ".sh");
  std::error_code failed;
  if (!fs::copy_file(old, script, failed))
    throw UsageError("slurm:" + job + " is over, and its script is gone: " + old.string(),
                     "Submit it again: nephron submit --via slurm.");
  try {
    return submitted_script(place, script, options);
  } catch (...) {
    fs::remove(script, failed);
    throw;
  }
}

/// The job is Slurm's by now, whatever can be written down of it.
void keep_if_possible(const SlurmRecord& record) try { keep_record(record); } catch (const Error& e) {
  log().warning("that Slurm has job " + record.job + " is not written down: " + e.what());
}

}  // namespace

void require_slurm() {
  if (!slurm_is_here())
    throw Error("Slurm is not here: there is no squeue in PATH",
                "Log in where jobs are submitted, or load its module; without --via slurm, nephron submit takes this "
                "machine's own queue.");
}

std::string usual_gres(const std::string& partition) {
  std::vector<std::string> command{"sinfo", "--noheader", "--format=%G"};
  if (!partition.empty()) command.push_back("--partition=" + partition);
  const SlurmAnswer answer = run_slurm(command, patience_to_submit);
  if (!answer.good()) throw Error("Slurm does not answer: " + answer.complaint);
  // "gpu:a100:4(S:0-1),shard:8"; every kind of GPU will do.
  return answer.output.starts_with("gpu:") || answer.output.find(",gpu:") != std::string::npos ||
                 answer.output.find("\ngpu:") != std::string::npos
             ? "gpu:1"
             : "";
}

SlurmRecord hand_to_slurm(const SlurmJob& job) {
  SlurmRecord out;
  out.place = place_of(job);
  out.name = job.name;
  out.run = job.run;
  out.goes_on = job.goes_on;
  out.command = job.words;
  if (job.array) {
    out.tasks = job.array->tasks;
    if (const auto& word = job.array->word) out.command.push_back(word->first + "TASK" + word->second);
  }
  out.submitted = time_text();
  out.job = submitted(job, out.place);
  keep_if_possible(out);
  return out;
}

SlurmRecord hand_to_slurm_again(SlurmRecord record, std::optional<int> task) {
  std::vector<std::string> options;
  if (task) options.push_back("--array=" + std::to_string(*task));  // goes before what the script says
  const std::string before = record.job;
  record.job = submitted_again(record.place, before, options);
  if (task) record.tasks = {*task};
  record.submitted = time_text();
  if (!record.then.empty())
    record.then = submitted_again(record.place, record.then, {"--dependency=afterany:" + record.job});
  keep_if_possible(record);
  return record;
}

SlurmRecord hand_to_slurm_after(SlurmRecord record, SlurmJob job) {
  job.after = record.job;
  record.then = submitted(job, record.place);
  keep_if_possible(record);
  return record;
}

}  // namespace nephron::host
