#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <host/predict/named_network.hpp>
#include <host/predict/scores.hpp>

namespace nephron::host {

/// What `nephron predict` is asked for. What is not given comes from the run's experiment.
struct PredictRequest {
  std::filesystem::path run;                  ///< a run, a fold, a checkpoint or an experiment (named_network.hpp)
  std::vector<std::filesystem::path> with;    ///< others that it is joined with
  std::vector<double> shares;                 ///< of the run and those; empty: equal
  bool vote = false;                          ///< joined by votes at the threshold, not by the mean
  std::filesystem::path images;               ///< a folder of pictures, or empty:
  std::vector<std::filesystem::path> slides;  ///< these files, or empty:
  std::string dataset;                        ///< the slides of a dataset of the run's experiment
  std::filesystem::path out;
  std::filesystem::path masks;  ///< empty: no Dice
  std::string masks_as;         ///< how masks say their class: a dataset of the experiment, "plain", or "" (truth.hpp)
  std::string fold;             ///< "K", "all" (the mean of all folds), or "": the fold that `run` names, else all
  std::string checkpoint = "best";
  std::string device = "auto";
  std::string precision = "fp32";
  bool as_reference = false;                       ///< --compat reference
  bool all_tiles = false;                          ///< those of nothing but glass too
  std::vector<std::string> save{"maps", "masks"};  ///< kept.hpp
  std::int64_t least_area = 100, fill_holes = 0;   ///< of objects, px
  std::string maps = "auto";                       ///< how maps are written: kept.hpp
  std::vector<std::string> tta;
  std::vector<std::string> metrics, set;  ///< by which pictures with truth are measured, and their parameters
  int jobs = 1;                           ///< processes that predict side by side
  std::vector<std::string> devices;       ///< in place of `device` and `jobs`: a process for each of them
  std::vector<std::string> command;       ///< of this program: what such processes are started by
  std::vector<ChosenWeights> chosen;      ///< in such a process: of the run and those of `with` (chosen_networks.hpp)
  int threads = 0;                        ///< of the CPU backend; 0: the experiment's
  std::optional<std::string> threshold;   ///< a number, "search" or "validated"
  std::optional<std::int64_t> tile;       ///< px at the reduced level
  std::optional<double> overlap;
  bool gaussian = false;  ///< tiles are joined by a bell, not by a pyramid
  std::optional<int> factor;
  double pictures_mpp =
      0;  ///< microns per pixel of pictures that do not say it; of a run that was trained with data.mpp
  std::optional<int> batch;
  bool full_size = false;  ///< tiles are cut at the picture's own size and reduced one by one
  bool whole = false;      ///< the whole reduced picture in one forward pass
  bool go_on = false;      ///< --continue
  bool overwrite = false;
  bool strict = false;
  std::vector<std::filesystem::path> plugins;
  std::int64_t held_bytes = std::int64_t{1} << 24;  ///< most of a reduced slide that is held; of more, bands are read
};

struct PredictOutcome {
  Scores scores;
  std::int64_t predicted = 0;
  std::int64_t skipped = 0;  ///< finished before
  bool reduced = false;      ///< pictures were reduced for the model
};

/// Predicts every picture of a folder, or slides. A picture that cannot be read is noted in scores.failures and the
/// rest go on, unless `strict`. Throws Cancelled after Ctrl-C, when what was under way is written.
PredictOutcome predict(const PredictRequest& request);

}  // namespace nephron::host
