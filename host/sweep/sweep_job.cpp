#include <host/sweep/sweep_job.hpp>

#include <csignal>

#include <nephron/error.hpp>

#include <host/runs/ended.hpp>
#include <host/runs/files_of_start.hpp>
#include <host/runs/run.hpp>
#include <host/runs/sweep_part.hpp>
#include <host/runs/validation_state.hpp>
#include <host/util/listed.hpp>
#include <host/util/pages.hpp>
#include <host/util/printable.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

std::string fold_list(const std::vector<int>& folds) {
  std::string out;
  for (const int k : folds) out += (out.empty() ? "" : ",") + std::to_string(k);
  return out;
}

std::vector<std::string> command_of(const SweepFolder& sweep, const SweepTask& task, const SweepPlace& means,
                                    bool goes_on) {
  const std::string run = sweep.run(task.member).string();
  std::vector<std::string> out{program_file().string()};
  if (task.validates) {
    out.insert(out.end(), {"validate", run, "--device", means.device});
    if (std::error_code no; fs::exists(validation_scores(run), no)) out.emplace_back("--continue");
    return out;
  }
  // Variables of srun or torchrun speak of the sweep's process.
  out.insert(out.end(), {"train", "--with-parent", "--alone", "--device", means.device});
  if (goes_on) out.insert(out.end(), {"--resume", run});
  else
    out.insert(out.end(),
               {trial_file(sweep.trials(), task.member.trial).string(), "--into", run, "--runs", sweep.path().string(),
                "--fold", fold_list(task.member.folds), "--set", "seed=" + std::to_string(task.member.seed)});
  const std::vector<std::int64_t>& rungs = sweep.plan().rungs;
  const auto rung = static_cast<std::size_t>(task.rung);
  if (!task.member.confirms && rung + 1 < rungs.size())
    out.insert(out.end(), {"--until-epoch", std::to_string(rungs[rung])});
  if (means.threads > 0) out.insert(out.end(), {"--worker-threads", std::to_string(means.threads)});
  if (means.cores > 0) out.insert(out.end(), {"--worker-cores", std::to_string(means.cores)});
  return out;
}

/// The last error that it printed, with the lines that belong to it.
SweepJob::Failure last_error(const std::string& output) {
  constexpr std::string_view mark = "error: ";
  const std::size_t at = output.rfind(mark);
  if (at == std::string::npos) return {};
  const std::string text = output.substr(at + mark.size());
  const std::size_t stop = text.find('\n');
  SweepJob::Failure out{printable_name(text.substr(0, stop)), {}};
  if (stop != std::string::npos) {
    const std::string more = text.substr(stop + 1, text.find('\n', stop + 1) - stop - 1);
    if (more.starts_with("  ")) out.hint = printable_name(more.substr(more.find_first_not_of(' ')));
  }
  return out;
}

}  // namespace

SweepJob::SweepJob(const SweepFolder& sweep, SweepTask task, FolderLock claim, std::size_t place,
                   const SweepPlace& means, bool goes_on)
    : sweep_(sweep),
      task_(std::move(task)),
      claim_(std::move(claim)),
      place_(place),
      process_(command_of(sweep, task_, means, goes_on), [](std::string_view) {}) {}

void SweepJob::note_part() {
  const fs::path run = sweep_.run(task_.member);
  std::error_code no;
  if (noted_ || !fs::exists(run / "experiment.resolved.toml", no)) return;
  noted_ = true;
  write_sweep_part(run, {sweep_.plan().name, task_.member.trial, task_.rung, task_.member.confirms});
}

std::string SweepJob::ended_from_outside() const {
  const ChildEnd& end = process_.end();
  if (end.signal == 0 && end.code != 130) return {};
  std::string out = end.signal == 0 ? "it was interrupted" : "it was killed by signal " + std::to_string(end.signal);
  if (end.signal == SIGKILL) out += ", as the system does when memory is short";
  return out;
}

SweepJob::Failure SweepJob::failure() const {
  const ChildEnd& end = process_.end();
  if (end.signal != 0 || end.code == 0 || end.code == 130) return {};
  if (!task_.validates) try {
      const auto ended = read_ended(sweep_.run(task_.member));
      if (ended && ended->by == EndedBy::error && !ended->error.empty())
        return {printable_name(ended->error.substr(0, ended->error.find('\n'))), ended->hint};
    } catch (const Error&) {  // it printed it, too
    }
  Failure out = last_error(end.output);
  if (out.error.empty()) out.error = printable_name(end.text());
  if (task_.validates) out.error = "nephron validate: " + out.error;
  return out;
}

void clear_half_run(const fs::path& run) {
  if (!remove_half_run(run))
    throw Error(run.string() + " is half a run, and holds more than a start that was killed leaves",
                "move it away; the run then begins anew");
}

}  // namespace nephron::host
