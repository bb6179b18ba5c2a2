#include <host/train/fold_processes.hpp>

#include <algorithm>
#include <csignal>
#include <deque>
#include <memory>
#include <optional>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

#include <host/train/fold_report.hpp>
#include <host/train/fold_worker.hpp>
#include <host/train/schedule.hpp>
#include <host/util/checked_json.hpp>
#include <host/util/child_process.hpp>
#include <host/util/counted.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/log.hpp>
#include <host/util/progress.hpp>
#include <host/util/report_lines.hpp>

namespace nephron::host {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

std::string fold_name(int fold) { return "fold " + std::to_string(fold); }

/// One fold and the process that trains it.
class RunningFold {
 public:
  RunningFold(int fold, std::size_t place, const TrainLengths& lengths, std::int64_t steps,
              const std::vector<std::string>& command)
      : fold_(fold),
        place_(place),
        lengths_(lengths),
        steps_(steps),
        lines_([this](const json& event) { take(event); }),
        process_(command, [this](std::string_view text) { lines_.add(text); }) {}

  int fold() const noexcept { return fold_; }
  std::size_t place() const noexcept { return place_; }
  ChildProcess& process() noexcept { return process_; }
  const std::optional<FoldResult>& result() const noexcept { return result_; }
  /// "fold 1 12/60", or what else it is at; "" before its first word.
  const std::string& doing() const noexcept { return doing_; }
  std::int64_t first_step() const noexcept { return std::max<std::int64_t>(0, first_); }
  std::int64_t step() const noexcept { return std::max<std::int64_t>(0, step_); }

  /// Why it has no result; "" where it has one, or was interrupted before there was any.
  std::string failure() const {
    if (!error_.empty()) return error_;
    const ChildEnd& end = process_.end();
    if (result_ || (interrupted() && (end.code == 130 || end.signal == SIGINT))) return {};
    std::string text = "its process ended without a result: " + end.text();
    if (end.signal == SIGKILL) text += " (the system kills so when memory is short: fewer --jobs, or a smaller batch)";
    return text;
  }

 private:
  void take(const json& event) try {
    if (relay_log(event, fold_name(fold_))) return;
    if (event.contains("progress")) {
      take_progress(event["progress"], event["done"], event["total"]);
    } else if (event.contains("result")) {
      const json& r = event["result"];
      result_ = FoldResult{progress_of(JsonNode::parse(r["progress"].dump(), fold_name(fold_)), lengths_),
                           r["finished"], r["paused"], r["tiles_per_s"], r["waited"]};
    } else if (event.contains("error")) {
      const std::string hint = event["hint"];
      error_ = event["error"].get<std::string>() + (hint.empty() ? "" : "\n  " + hint);
    }
  } catch (const std::exception& e) {  // whatever else was written there
    log().debug(fold_name(fold_) + " reported what is not understood: " + e.what());
  }

  void take_progress(const std::string& what, std::int64_t done, std::int64_t total) {
    const bool training = what == fold_name(fold_) && total == steps_;
    if (training) step_ = done;
    if (training && first_ < 0) first_ = done - 1;
    doing_ = (what.starts_with(fold_name(fold_)) ? what : fold_name(fold_) + " " + what) + " " + std::to_string(done) +
             "/" + std::to_string(total);
  }

  int fold_;
  std::size_t place_;
  TrainLengths lengths_;
  std::int64_t steps_, first_ = -1, step_ = 0;
  LineReader lines_;
  std::string doing_, error_;
  std::optional<FoldResult> result_;
  ChildProcess process_;  // last: it calls back
};

/// Of an epoch and of all that a fold is asked for.
StepCounts steps_until(const TrainConfig& train, std::int64_t epoch) {
  StepCounts out = StepCounts::of(train);
  if (epoch > 0) out.all = std::min(out.all, epoch * out.epoch);
  return out;
}

class FoldProcesses {
 public:
  FoldProcesses(const Session& session, const TrainRequest& request, const JobPlan& plan)
      : session_(session),
        request_(request),
        plan_(plan),
        threads_(plan.threads(session.experiment().train.threads)),
        steps_(steps_until(session.experiment().train, request.until_epoch)),
        busy_(plan.devices.size()) {}

  FoldsOutcome run() {
    for (const int fold : session_.folds()) {
      const FoldFolder folder = session_.run().fold(fold);
      if (folder.finished()) outcome_.results.emplace_back(fold, read_done(folder, session_.experiment().classes));
      else waiting_.push_back(fold);
    }
    say_plan();
    total_ = steps_.all * static_cast<std::int64_t>(waiting_.size());
    Progress progress("training " + counted(waiting_.size(), "fold"), total_);
    while (begin_folds() > 0) {
      std::vector<ChildProcess*> processes;
      for (const auto& fold : running_) processes.push_back(&fold->process());
      ChildProcess::listen(processes, 100);
      hand_on_interrupt();
      collect();
      show(progress);
    }
    progress.finish();
    std::sort(outcome_.results.begin(), outcome_.results.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    return std::move(outcome_);
  }

 private:
  void say_plan() const {
    std::string text = counted(waiting_.size(), "fold") + " in " +
                       counted(plan_.devices.size(), "process", "processes") + " at a time";
    const int threads = threads_ > 0 ? threads_ : 0;
    if (threads > 0) text += ", with " + counted(static_cast<std::size_t>(threads), "thread") + " each";
    log().info(text);
    plan_.warn_of_threads(threads);
  }

  std::vector<std::string> command(int fold, std::size_t place) const {
    std::vector<std::string> out{fs::read_symlink("/proc/self/exe").string(),
                                 "train",
                                 "--resume",
                                 session_.run().folder().string(),
                                 "--device",
                                 plan_.devices[place],
                                 "--worker-fold",
                                 std::to_string(fold),
                                 "--worker-threads",
                                 std::to_string(threads_),
                                 "--worker-cores",
                                 std::to_string(plan_.cores())};
    // A new run has its overrides and plugins in its own file.
    if (session_.resumes()) {
      for (const std::string& setting : request_.overrides) out.insert(out.end(), {"--set", setting});
      for (const fs::path& plugin : request_.plugins) out.insert(out.end(), {"--plugin", plugin.string()});
    }
    if (request_.until_epoch > 0) out.insert(out.end(), {"--until-epoch", std::to_string(request_.until_epoch)});
    if (request_.strict) out.emplace_back("--strict");
    return out;
  }

  /// Gives free places to folds that wait; how many run then.
  std::size_t begin_folds() {
    for (std::size_t place = 0; place < busy_.size(); ++place) {
      if (busy_[place] || waiting_.empty() || interrupted() || !outcome_.failures.empty()) continue;
      const TrainConfig& train = session_.experiment().train;
      const int fold = waiting_.front();
      running_.push_back(std::make_unique<RunningFold>(fold, place, TrainLengths{train.epochs, steps_.epoch},
                                                       steps_.all, command(fold, place)));
      waiting_.pop_front();
      busy_[place] = true;
    }
    return running_.size();
  }

  void hand_on_interrupt() {
    if (!interrupted() || handed_on_) return;
    handed_on_ = true;
    log().info("interrupted: waiting until every fold has saved");
    for (const auto& fold : running_) fold->process().signal(SIGINT);
  }

  void collect() {
    for (auto fold = running_.begin(); fold != running_.end();) {
      if (!(*fold)->process().ended()) {
        ++fold;
        continue;
      }
      RunningFold& ended = **fold;
      if (ended.result()) outcome_.results.emplace_back(ended.fold(), *ended.result());
      if (ended.result() && !ended.result()->finished && !ended.result()->paused && !interrupted())
        stop_after(ended.fold());
      if (const std::string why = ended.failure(); !why.empty()) failed(ended.fold(), why);
      steps_done_ += ended.step() - ended.first_step();
      steps_before_ += ended.first_step();
      busy_[ended.place()] = false;
      fold = running_.erase(fold);
    }
  }

  /// Somebody interrupted the process of one fold alone.
  void stop_after(int fold) {
    std::string text = fold_name(fold) + " was interrupted, and has saved";
    if (running_.size() > 1) text += "; the folds that run go on to their end";
    if (!waiting_.empty()) text += "; no other fold is begun";
    waiting_.clear();
    log().warning(text);
  }

  void failed(int fold, const std::string& why) {
    outcome_.failures[fold] = why;
    std::string text = fold_name(fold) + " failed: " + why;
    if (running_.size() > 1) text += "\n  the folds that run go on to their end";
    if (!waiting_.empty()) text += "\n  no other fold is begun";
    log().error(text);
  }

  void show(Progress& progress) const {
    std::int64_t done = steps_done_, before = steps_before_;
    std::string note;
    for (const auto& fold : running_) {
      done += fold->step() - fold->first_step();
      before += fold->first_step();
      if (!fold->doing().empty()) note += (note.empty() ? "" : ", ") + fold->doing();
    }
    const std::int64_t left = std::max<std::int64_t>(1, total_ - before);
    progress.update(done + before, note, static_cast<double>(done) / static_cast<double>(left));
  }

  const Session& session_;
  const TrainRequest& request_;
  const JobPlan& plan_;
  int threads_;
  StepCounts steps_;
  std::deque<int> waiting_;
  std::vector<std::unique_ptr<RunningFold>> running_;
  std::vector<bool> busy_;  ///< by place
  bool handed_on_ = false;
  std::int64_t total_ = 0;                          ///< steps of the folds that were not finished
  std::int64_t steps_done_ = 0, steps_before_ = 0;  ///< of folds that ended: here, and before this command
  FoldsOutcome outcome_;
};

}  // namespace

FoldsOutcome train_in_processes(const Session& session, const TrainRequest& request, const JobPlan& plan) {
  return FoldProcesses(session, request, plan).run();
}

}  // namespace nephron::host
