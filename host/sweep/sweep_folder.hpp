#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <host/sweep/sweep_plan.hpp>
#include <host/sweep/sweep_setup.hpp>

namespace nephron::host {

/// A sweep on disk: RUNS/NAME-sweep/ with
///
///   sweep.toml          the file as it was
///   plan.json           SweepPlan
///   trials/0007.toml    the experiment of each trial
///   work/RUN/           of each run: the lock of the process that trains it, and why it failed
///   program/            snapshot of the program that its jobs in a queue start (sweep_program.hpp)
///   slurm/              scripts of its jobs in Slurm, and what they say
///   stop                there while `nephron sweep stop` asks for it; a line for each job that it took out of a queue
///   DATE-TIME-ID/       its runs, as all others are
class SweepFolder {
 public:
  /// The sweep that a file describes: a new one, or that of the same file, which goes on. Throws ConfigError,
  /// UsageError where the folder is another sweep's.
  static SweepFolder create(const SweepRequest& request);
  /// For whoever makes nothing: throws UsageError as create() would, where `plan` of this request is not the sweep's
  /// that is in its place.
  static void require_place(const SweepRequest& request, const SweepPlan& plan);
  /// A folder, or the name of one in the folders of runs, with "-sweep" or without. Throws UsageError.
  static SweepFolder open(const std::filesystem::path& named);

  const std::filesystem::path& path() const noexcept { return path_; }
  const SweepPlan& plan() const noexcept { return plan_; }
  const SweepMembers& members() const noexcept { return members_; }

  std::filesystem::path trials() const { return path_ / "trials"; }
  std::filesystem::path run(const SweepMember& member) const { return path_ / member.run; }
  /// Of a run: what the sweep's processes keep beside it.
  std::filesystem::path work(const SweepMember& member) const { return path_ / "work" / member.run; }

  /// `nephron sweep stop` was asked for.
  bool stop_asked() const;
  void ask_stop() const;
  /// Jobs of this user's that the stop took out of the queue. One that was withdrawn meanwhile is not asked for again.
  void note_taken_out(const std::vector<std::string>& jobs) const;
  std::vector<std::string> taken_out() const;
  void withdraw_stop() const;

 private:
  SweepFolder(std::filesystem::path path, SweepPlan plan)
      : path_(std::move(path)), plan_(std::move(plan)), members_(plan_) {}
  std::filesystem::path path_;
  SweepPlan plan_;
  SweepMembers members_;
};

}  // namespace nephron::host
