#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace nephron::host {

/// A fold of a run on disk:
///
///   fold-K/metrics.jsonl              one JSON object a line (MetricsLog)
///         /events.out.tfevents.*      the same for TensorBoard
///         /digests.jsonl            what its steps leave, to compare with (replay/step_digests.hpp)
///         /slides.json                what it was trained on, and what was held out
///         /done.json                  final figures; its presence says that the fold is finished
///         /checkpoints/step-N/        weights.safetensors (SMP's names), state.safetensors (to go on), and
///                                     average.safetensors where weights are averaged; checkpoint.sha256 of them
///         /checkpoints/last, previous, best   symbolic links to the step folders, replaced atomically
struct FoldFolder {
  std::filesystem::path folder;
  int fold = 0;

  std::filesystem::path metrics() const { return folder / "metrics.jsonl"; }
  std::filesystem::path slides() const { return folder / "slides.json"; }
  std::filesystem::path done() const { return folder / "done.json"; }
  std::filesystem::path checkpoints() const { return folder / "checkpoints"; }
  /// `which`: "best", "last", or "average", the averaged weights of the last. Throws Error when there is no such
  /// checkpoint yet.
  std::filesystem::path weights(const std::string& which) const;
  bool has_checkpoint(const std::string& which) const;
  /// A checkpoint was written once, whatever became of it.
  bool begun() const;
  bool finished() const;
};

/// A run on disk: runs/<experiment>/<date>-<time>-<short id>/ with experiment.resolved.toml, environment.json,
/// splits.json, snapshot.json (what it was made with), log.txt and a folder a fold.
class RunFolder {
 public:
  /// Makes a folder of its own, whatever else is started at the same moment. `experiment`: becomes a folder name.
  static RunFolder create(const std::filesystem::path& runs, const std::string& experiment);
  /// A free name for a run; make() makes the folder.
  static RunFolder propose(const std::filesystem::path& runs, const std::string& experiment);
  /// Throws Error when it cannot be made, or is there by now.
  void make() const;
  /// `path`: the run's folder, a fold's folder inside it, the folder of an experiment's runs, of which the latest is
  /// taken (said in the log where there are several), or a name (run_name.hpp). Throws Error saying what was expected.
  static RunFolder open(const std::filesystem::path& path);

  const std::filesystem::path& folder() const noexcept { return folder_; }
  std::filesystem::path experiment() const { return folder_ / "experiment.resolved.toml"; }
  std::filesystem::path environment() const { return folder_ / "environment.json"; }
  std::filesystem::path splits() const { return folder_ / "splits.json"; }  ///< the fold of every slide, written once
  std::filesystem::path log() const { return folder_ / "log.txt"; }
  FoldFolder fold(int k) const;
  /// Folds that have a folder, ascending.
  std::vector<int> folds() const;
  /// The fold that open() was pointed at; -1 when it was the run itself.
  int opened_fold() const noexcept { return opened_fold_; }

 private:
  std::filesystem::path folder_;
  int opened_fold_ = -1;
};

}  // namespace nephron::host
