#include <host/sweep/sweep_queue.hpp>

#include <algorithm>

#include <nephron/error.hpp>

#include <host/config/load.hpp>
#include <host/queue/change.hpp>
#include <host/queue/host_file.hpp>
#include <host/runs/here_and_now.hpp>
#include <host/slurm/slurm_change.hpp>
#include <host/slurm/slurm_queue.hpp>
#include <host/sweep/sweep_program.hpp>
#include <host/util/counted.hpp>
#include <host/util/log.hpp>
#include <host/util/shell_word.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

/// Ours, and a person's `submit -- nephron sweep resume SWEEP`.
bool goes_on_with(const SweepFolder& sweep, const Ticket& ticket) {
  const std::vector<std::string>& words = ticket.first;
  if (words.size() < 4 || words[1] != "sweep" || words[2] != "resume") return false;
  return std::any_of(words.begin() + 3, words.end(), [&](const std::string& word) {
    std::error_code no;
    return fs::equivalent(ticket.folder / word, sweep.path(), no);
  });
}

std::vector<std::string> take_out_of_queue(const SweepFolder& sweep) try {
  return cancel_waiting(
      read_host().spool, [&](const Ticket& ticket) { return goes_on_with(sweep, ticket); },
      "its sweep was stopped: nephron sweep resume puts it in line again");
} catch (const Error& e) {
  log().warning("whether jobs of the sweep wait in this machine's queue is not known: " + std::string(e.what()));
  return {};
}

/// By the scripts that lie in SWEEP/slurm.
std::vector<std::string> take_out_of_slurm(const SweepFolder& sweep) {
  std::vector<std::string> out;
  std::error_code failed;
  for (fs::directory_iterator entry(sweep.path() / "slurm", failed), end; !failed && entry != end;
       entry.increment(failed)) {
    if (entry->path().extension() != ".sh") continue;
    const auto queue = slurm_just_now();
    if (queue == nullptr) break;
    for (const SlurmTask& task : queue->of(entry->path().stem().string())) try {
        if (!task.waits() || !task.is_ours() || task.user != user_name()) continue;
        const auto id = slurm_id("slurm:" + task.id());
        cancel_in_slurm(id.value());
        out.push_back(id->text());
      } catch (const Error& e) {
        log().warning("slurm:" + task.id() + " stays in line, and does nothing when its turn comes: " + e.what());
      }
  }
  return out;
}

std::vector<std::string> take_out_of_line(const SweepFolder& sweep) {
  std::vector<std::string> out = take_out_of_queue(sweep);
  for (std::string& id : take_out_of_slurm(sweep)) out.push_back(std::move(id));
  return out;
}

std::string put_back(const std::string& job) {
  if (job.starts_with("slurm:")) return release_in_slurm(slurm_id(job).value());
  return release_job(Spool(read_host().spool), job);
}

}  // namespace

bool is_sweep_file(const fs::path& file, const std::vector<std::string>& overrides) try {
  Diagnostics told_later;
  return resolve_experiment(file, overrides, told_later).find("sweep") != nullptr;
} catch (const Error&) {
  return false;
}

std::vector<std::string> sweep_command(const SweepFolder& sweep, const std::string& device) {
  return {sweep_program(sweep).string(), "sweep", "resume", sweep.path().string(), "--queued", "--device", device};
}

std::vector<std::string> put_in_line(const SweepFolder& sweep, const Submission& each, int jobs) {
  const HostFile host = read_host();
  const std::string device = device_of(request_of(each, host.machine), host.machine);
  forget_stop(sweep);
  Submission job = each;
  if (job.name.empty()) job.name = sweep.plan().name;
  job.first = sweep_command(sweep, device);
  job.again = job.first;
  std::vector<std::string> out;
  for (int i = 0; i < jobs; ++i) try {
      out.push_back(submit_command(job));
    } catch (const Error& e) {
      throw Error("the queue did not take the sweep: " + std::string(e.what()),
                  (e.hint().empty() ? "" : e.hint() + " ") +
                      (out.empty() ? "" : counted(out.size(), "process", "processes") + " of it stand in line. ") +
                      "Without a queue: nephron sweep resume " + shell_word(sweep.path().string()));
    }
  return out;
}

std::vector<std::string> stop_sweep(const SweepFolder& sweep) {
  sweep.ask_stop();  // before: none that starts meanwhile begins to work
  std::vector<std::string> out = take_out_of_line(sweep);
  sweep.note_taken_out(out);
  return out;
}

void go_on_after_stop(const SweepFolder& sweep) {
  const std::vector<std::string> jobs = sweep.taken_out();
  sweep.withdraw_stop();
  for (const std::string& job : jobs) try {
      log().info(put_back(job) + ", as before the stop");
    } catch (const Error& e) {
      log().warning("job " + job + ", which the stop took out of the line, stays out: " + e.what());
    }
}

void forget_stop(const SweepFolder& sweep) {
  // Those that gave their place back after the stop had looked for them would go on beside the new ones.
  if (sweep.stop_asked()) take_out_of_line(sweep);
  sweep.withdraw_stop();
}

}  // namespace nephron::host
