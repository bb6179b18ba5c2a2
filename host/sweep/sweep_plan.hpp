#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace nephron::host {

/// One run of a sweep: a trial with a seed and folds.
struct SweepMember {
  int trial = 0;
  std::int64_t seed = 0;
  std::vector<int> folds;
  bool confirms = false;  ///< it chose nothing, and is trained to its end
  std::string run;        ///< name of its folder in the sweep's
};

/// A sweep as it was settled when it began: SWEEP/plan.json. What follows from it, such as the names of its runs, is
/// the same in every process.
struct SweepPlan {
  struct Axis {
    std::string key;
    bool logarithmic = false;
  };
  struct Trial {
    std::int64_t epochs = 0;
    std::vector<std::pair<std::string, std::string>> settings;  ///< key, value as TOML
  };
  struct Confirm {
    int top = 0;
    std::vector<int> folds;
    std::vector<std::int64_t> seeds;
  };

  std::string name, method, score;
  std::string started;  ///< "20260131-120000"
  std::string digest;   ///< of the sweep's file with all that it extends
  std::int64_t seed = 0;
  std::vector<std::int64_t> seeds;
  std::vector<int> folds;
  int eta = 2;
  int threads = 0;                  ///< train.threads
  std::vector<std::int64_t> rungs;  ///< epochs; the last is the training's end
  std::optional<Confirm> confirm;
  std::vector<Axis> axes;
  std::vector<Trial> trials;

  std::string json() const;
  /// Throws Error that names file and place.
  static SweepPlan read(const std::filesystem::path& file);
};

/// Names of the runs of all trials, those of `confirms` too. No two are alike.
class SweepMembers {
 public:
  explicit SweepMembers(const SweepPlan& plan);
  /// Of a trial, in the order in which they are begun.
  const std::vector<SweepMember>& of(int trial) const { return search_.at(static_cast<std::size_t>(trial)); }
  const std::vector<SweepMember>& confirming(int trial) const { return confirm_.at(static_cast<std::size_t>(trial)); }

 private:
  std::vector<std::vector<SweepMember>> search_, confirm_;
};

/// A trial's settings in one line: "train.optimizer.lr = 0.001, model.encoder = { type = \"resnet34\" }".
std::string settings_text(const SweepPlan::Trial& trial);
/// "trial 7, seed 2".
std::string name_of(const SweepPlan& plan, const SweepMember& member);
/// Epochs at which trials are scored: first, first * eta, ..., and the last at the training's end.
std::vector<std::int64_t> rungs_of(std::int64_t first, std::int64_t eta, std::int64_t epochs);

}  // namespace nephron::host
