#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <host/runs/run.hpp>

namespace nephron::host {

/// What a person may name to predict by.
struct NamedNetwork {
  /// A run or one of its folds: everything that RunFolder::open() takes. Nothing: an experiment file says the model.
  std::optional<RunFolder> run;
  std::filesystem::path checkpoint;  ///< weights of one checkpoint of the opened fold; empty: what is asked for
  std::filesystem::path experiment;  ///< the file that describes the model
  std::filesystem::path place;       ///< by which another process finds the same

  /// `path` may also be a checkpoint (RUN/fold-K/checkpoints/step-N, or a file of weights in it), or an experiment
  /// file, whose model.weights are then the network's. Throws Error saying what was expected.
  static NamedNetwork of(const std::filesystem::path& path);
};

/// The weights of a named network.
struct ChosenWeights {
  std::filesystem::path run;  ///< or the experiment file
  std::vector<int> folds;     ///< none of an experiment file
  std::string checkpoint;     ///< "best", "step-40", "" of an experiment file
  std::vector<std::filesystem::path> files;
};

/// `fold`, `checkpoint`: as on a command line ("" and "best" where nothing is said). `weights`: of the experiment's
/// model. Throws UsageError where more is asked for than the network leaves open.
ChosenWeights chosen_weights(const NamedNetwork& network, const std::string& fold, const std::string& checkpoint,
                             const std::filesystem::path& weights);

}  // namespace nephron::host
