#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <host/config/experiment.hpp>
#include <host/predict/kept.hpp>
#include <host/predict/named_network.hpp>
#include <host/predict/predict.hpp>
#include <host/store/reduction.hpp>
#include <host/tiling/tiling.hpp>

namespace nephron::host {

/// A request joined with its run's experiment: everything that a prediction depends on.
struct PredictSettings {
  std::filesystem::path run;
  std::vector<int> folds;
  std::string checkpoint;
  std::vector<std::filesystem::path> weights;  ///< one a fold
  std::vector<std::string> weights_sha256;     ///< of these files
  int factor = 1;
  double mpp = 0;  ///< microns per pixel of the level that the model works on; 0: pictures are reduced by factor
  double pictures_mpp = 0;  ///< of pictures that do not say it; 0: such a picture is refused
  std::int64_t tile = 256;  ///< 0: the whole picture
  int windows = 1;          ///< above 1: tiles are cut at full size, so many times as wide, and reduced one by one
  double overlap = 1.5;
  Blending blending = Blending::pyramid;
  std::vector<std::string> tta;
  bool search = false;             ///< the threshold with the best mean Dice over all pictures that have a mask
  bool validated = false;          ///< thresholds are those that the run's validation found
  std::vector<double> thresholds;  ///< a class each
  std::int64_t batch = 8;
  std::string precision;
  bool as_reference = false;  ///< tiles are joined as the reference joined them in 2021
  bool all_tiles = false;     ///< those of nothing but glass too
  Kept kept;

  /// Side of a tile at the level that it is cut at.
  std::int64_t cut() const noexcept { return tile * windows; }
  bool skips_glass() const noexcept { return !all_tiles && !as_reference; }
  /// Of a picture whose pixels are `known` microns wide; 0: it does not say. Throws Error where that has to be known,
  /// and where nothing of the picture would be left.
  Reduction reduction_of(double known, Size picture) const;
  /// As JSON, for predict.json: equal text means equal predictions.
  std::string str() const;
};

/// `chosen`: what predicts.
PredictSettings settle(const PredictRequest& request, ChosenWeights chosen, const Experiment& experiment);

}  // namespace nephron::host
