#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace nephron::host {

/// What a training is asked for when it is put in line: the options of nephron train.
struct TrainingOptions {
  std::vector<std::string> set, plugins;
  std::string fold = "0", runs = "runs", from, checkpoint = "last", batch;
  bool strict = false;
  bool elsewhere = false;  ///< another machine trains it
  bool several_folds() const { return fold == "all" || fold.find(',') != std::string::npos; }
};

/// A run that is made for a job, with all that it needs, so that later changes of the experiment change nothing. It is
/// taken back with this object unless the job is in line, however the process that makes it ends.
class SubmittedRun {
 public:
  /// `places`: GPUs that train a fold each. Throws Error where a process that makes it is killed.
  SubmittedRun(const std::string& experiment, const TrainingOptions& options, const std::string& device, int places);
  ~SubmittedRun();
  SubmittedRun(const SubmittedRun&) = delete;
  SubmittedRun& operator=(const SubmittedRun&) = delete;

  /// 0, or with what `nephron train`, which has said why, ended: then there is none.
  int exit() const noexcept { return exit_; }
  const std::filesystem::path& folder() const noexcept { return folder_; }
  /// What goes on with it: the program of this moment, laid out from the run's snapshot.
  const std::vector<std::string>& command() const noexcept { return command_; }
  std::string name() const { return folder_.parent_path().filename().string(); }
  void keep() noexcept { kept_ = true; }

 private:
  void make(const std::string& experiment, const TrainingOptions& options, const std::string& device, int places);
  void take_back() const noexcept;

  std::filesystem::path folder_;
  std::vector<std::string> command_;
  int exit_ = 0;
  bool kept_ = false;
};

}  // namespace nephron::host
