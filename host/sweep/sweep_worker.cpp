#include <host/sweep/sweep_worker.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <optional>
#include <thread>

#include <nephron/error.hpp>

#include <host/sweep/sweep_job.hpp>
#include <host/sweep/sweep_task.hpp>
#include <host/sweep/sweep_trouble.hpp>
#include <host/util/counted.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/log.hpp>
#include <host/util/printable.hpp>
#include <host/util/progress.hpp>
#include <host/util/shell_word.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

using clock = std::chrono::steady_clock;

/// So many failures with nothing that ever gave a score: what is wrong is no trial's.
constexpr int hopeless_failures = 3;

/// What a process that died still held is free by then.
constexpr auto rest_before_leaving = std::chrono::seconds(5);

/// Slurm gives up a node whose processes may go on for a while; then what is held says little of who will do it.
bool comes_from_a_lost_node() {
  const char* const restarts = std::getenv("SLURM_RESTART_COUNT");
  return restarts != nullptr && std::string(restarts) != "0";
}

std::string score_text(std::optional<double> score) {
  if (!score) return "no score";
  char text[32];
  std::snprintf(text, sizeof text, "Dice %.4f", *score);
  return text;
}

class SweepWorker {
 public:
  SweepWorker(const SweepFolder& sweep, const JobPlan& plan, bool queued)
      : sweep_(sweep), plan_(plan), queued_(queued), reader_(sweep), busy_(plan.devices.size()) {}

  SweepEnd run() {
    const SweepAmount amount = amount_of(sweep_, reader_.read(), reader_);
    before_ = amount.done;
    progress_.emplace(sweep_.plan().name, amount.all, before_);
    std::optional<SweepEnd> end;
    while (!end || !jobs_.empty()) {
      wait();
      collect();
      if (!end && (end = why_stop())) hand_on_stop(*end);
      if (!end) begin_jobs();
      if (!end && jobs_.empty()) end = at_rest();
      show();
    }
    progress_->finish();
    // A job that was told to save, or had nothing to do, when the stop came would be back in line behind it.
    const bool comes_again = *end == SweepEnd::interrupted || *end == SweepEnd::later;
    return queued_ && comes_again && sweep_.stop_asked() ? SweepEnd::stopped : *end;
  }

 private:
  void wait() {
    std::vector<ChildProcess*> processes;
    for (const auto& job : jobs_) processes.push_back(&job->process());
    if (!processes.empty()) ChildProcess::listen(processes, 200);
    for (const auto& job : jobs_) note_part(*job);
  }

  static void note_part(SweepJob& job) try { job.note_part(); } catch (const Error& e) {
    log().warning(e.what());  // the run trains; which part it is, the plan knows
  }

  std::optional<SweepEnd> why_stop() {
    if (interrupted()) return SweepEnd::interrupted;
    if (hopeless_) return SweepEnd::hopeless;
    if (clock::now() < next_look_) return std::nullopt;
    next_look_ = clock::now() + std::chrono::seconds(1);
    return sweep_.stop_asked() ? std::optional(SweepEnd::stopped) : std::nullopt;
  }

  void hand_on_stop(SweepEnd end) {
    if (jobs_.empty()) return;
    log().info(std::string(end == SweepEnd::stopped       ? "stop was asked for"
                           : end == SweepEnd::interrupted ? "interrupted"
                                                          : "giving up") +
               ": waiting until " + counted(jobs_.size(), "run") + " " + (jobs_.size() == 1 ? "has" : "have") +
               " saved");
    for (const auto& job : jobs_) job->process().signal(SIGINT);
    stopping_ = true;
  }

  void collect() {
    for (auto job = jobs_.begin(); job != jobs_.end();) {
      if (!(*job)->process().ended()) {
        ++job;
        continue;
      }
      const std::unique_ptr<SweepJob> ended = std::move(*job);
      job = jobs_.erase(job);
      busy_[ended->place()] = false;
      note_part(*ended);
      conclude(*ended);
      changed_ = true;
    }
  }

  void conclude(const SweepJob& job) {
    const SweepTask& task = job.task();
    const fs::path work = sweep_.work(task.member);
    const std::string name = name_of(sweep_.plan(), task.member);
    const MemberState now = reader_.read(task.member);
    if (const std::string how = job.ended_from_outside(); !how.empty()) {
      if (stopping_) return;
      const bool again = !note_death(work, now.epochs, how);
      log().warning(name + ": its process is gone, " + how + (again ? "; it goes on from the last checkpoint" : ""));
      if (!again)
        fail(task, how + ", three times after " + counted(now.epochs, "epoch"),
             "fewer --jobs, or a smaller batch, need less memory");
      return;
    }
    if (const SweepJob::Failure failure = job.failure(); !failure.error.empty())
      return fail(task, failure.error, failure.hint);
    if (is_open(task, sweep_.plan(), now))
      return fail(task, now.failure.empty() ? "its process ended without having done what it was to do" : now.failure,
                  "");
    tell_done(task, now, name);
  }

  void tell_done(const SweepTask& task, const MemberState& now, const std::string& name) {
    failures_ = 0;
    if (task.validates) return log().info(name + ": measured");
    const bool last = task.member.confirms || task.rung + 1 == static_cast<int>(sweep_.plan().rungs.size());
    const std::int64_t epoch = last ? now.epochs : sweep_.plan().rungs[static_cast<std::size_t>(task.rung)];
    log().info(name + ": " + score_text(now.score(sweep_.plan().score, epoch)) + " after " +
               counted(std::min(now.epochs, epoch), "epoch") + (now.finished ? ", at its end" : ""));
  }

  void fail(const SweepTask& task, const std::string& why, const std::string& hint) {
    changed_ = true;
    write_failure(sweep_.work(task.member), why, hint);
    log().warning(name_of(sweep_.plan(), task.member) + " failed: " + why + (hint.empty() ? "" : "\n  " + hint) +
                  "\n  the sweep goes on without it");
    if (++failures_ < hopeless_failures) return;
    const SweepState state = reader_.read();
    hopeless_ = std::none_of(state.trials.begin(), state.trials.end(),
                             [](const TrialState& t) { return reached(t.halving) >= 0; });
  }

  void begin_jobs() {
    if (!changed_ && clock::now() < next_begin_) return;
    changed_ = false;
    next_begin_ = clock::now() + std::chrono::seconds(1);
    for (std::size_t place = 0; place < busy_.size(); ++place)
      if (!busy_[place] && !begin_job(place)) return;
  }

  /// False where no task is free now.
  bool begin_job(std::size_t place) {
    for (const SweepTask& task : open_tasks(sweep_, reader_.read(), reader_)) {
      if (interrupted()) return false;
      if (take(task, place)) return busy_[place] = true;
    }
    return false;
  }

  bool take(const SweepTask& task, std::size_t place) {
    const fs::path work = sweep_.work(task.member);
    fs::create_directories(work);
    const MemberState before = reader_.read(task.member);  // another process may have done it since
    if (before.held) return false;
    FolderLock claim(work);
    if (claim.other_holder()) return false;
    MemberState now = reader_.read(task.member);
    if (!is_open(task, sweep_.plan(), now)) return false;
    const fs::path run = sweep_.run(task.member);
    if (FolderLock::ask(run) == FolderLock::State::held) return false;
    try {
      if (now.folder == MemberState::Folder::half) clear_half_run(run), now.folder = MemberState::Folder::none;
      const bool several = plan_.several();
      const SweepPlace means{plan_.devices[place], several ? plan_.threads(sweep_.plan().threads) : 0,
                             several ? plan_.cores() : 0};
      jobs_.push_back(std::make_unique<SweepJob>(sweep_, task, std::move(claim), place, means,
                                                 now.folder == MemberState::Folder::run));
      note_part(*jobs_.back());
    } catch (const Error& e) {
      fail(task, e.what(), e.hint());
      return false;
    }
    tell_begun(task, now);
    rests_since_.reset();
    return true;
  }

  void tell_begun(const SweepTask& task, const MemberState& now) const {
    const SweepPlan& plan = sweep_.plan();
    const auto trial = static_cast<std::size_t>(task.member.trial);
    if (task.validates) return log().info(name_of(plan, task.member) + ": measuring");
    const std::int64_t last = task.member.confirms || task.rung + 1 == static_cast<int>(plan.rungs.size())
                                  ? plan.trials[trial].epochs
                                  : plan.rungs[static_cast<std::size_t>(task.rung)];
    std::string text =
        name_of(plan, task.member) + ": epochs " + std::to_string(now.epochs + 1) + " to " + std::to_string(last);
    if (task.rung == 0 || task.member.confirms) text += ", " + settings_text(plan.trials[trial]);
    log().info(text + (plan_.several() && plan_.by_device ? ", on " + plan_.devices[jobs_.back()->place()] : ""));
  }

  /// Nothing runs here and nothing was free: all is done, or others work.
  std::optional<SweepEnd> at_rest() {
    const SweepState state = reader_.read();
    if (all_done(sweep_, state, reader_)) return SweepEnd::done;
    if (!rests_since_) rests_since_ = clock::now();
    if (queued_ && clock::now() - *rests_since_ > rest_before_leaving)
      return all_begun(sweep_, state) && !comes_from_a_lost_node() ? SweepEnd::left : SweepEnd::later;
    if (!waits_) log().info("other processes work on what is left; waiting for what they leave");
    waits_ = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    return std::nullopt;
  }

  void show() {
    if (clock::now() < next_show_) return;
    next_show_ = clock::now() + std::chrono::seconds(2);
    const SweepState state = reader_.read();
    const SweepAmount amount = amount_of(sweep_, state, reader_);
    std::size_t rest = 0, failed = 0;
    for (const TrialState& trial : state.trials)
      rest += trial.halving.at_rest() && !trial.held, failed += trial.halving.failed;
    std::string note = "epochs, " + std::to_string(rest) + " of " + counted(state.trials.size(), "trial") + ", " +
                       counted(jobs_.size(), "run") + " here";
    if (failed > 0) note += ", " + std::to_string(failed) + " failed";
    if (const std::vector<int> best = ranking(state.halving()); !best.empty()) {
      const HalvingTrial& first = state.trials[static_cast<std::size_t>(best[0])].halving;
      note += ", best trial " + std::to_string(best[0]) + ": " +
              score_text(first.score[static_cast<std::size_t>(reached(first))]);
    }
    const double left = static_cast<double>(std::max<std::int64_t>(1, amount.all - before_));
    progress_->update(amount.done, note, static_cast<double>(amount.done - before_) / left);
  }

  const SweepFolder& sweep_;
  const JobPlan& plan_;
  bool queued_;
  SweepReader reader_;
  std::vector<std::unique_ptr<SweepJob>> jobs_;
  std::vector<bool> busy_;  ///< by place
  std::optional<Progress> progress_;
  std::int64_t before_ = 0;  ///< epochs that were done when this process came
  int failures_ = 0;         ///< one after another, in this process
  bool hopeless_ = false, stopping_ = false, waits_ = false, changed_ = true;
  std::optional<clock::time_point> rests_since_;  ///< nothing runs here since then
  clock::time_point next_look_{}, next_begin_{}, next_show_{};
};

}  // namespace

SweepEnd work_on_sweep(const SweepFolder& sweep, const JobPlan& plan, bool queued) {
  return SweepWorker(sweep, plan, queued).run();
}

}  // namespace nephron::host
