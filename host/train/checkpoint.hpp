#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <torch/nn/module.h>

#include <host/runs/run.hpp>
#include <host/train/schedule.hpp>
#include <host/util/checked_json.hpp>
#include <host/weights/weights.hpp>

namespace nephron::host {

/// Where a fold stands, besides weights and optimiser. Random numbers need no state: every step derives its own from
/// (seed, step).
struct TrainProgress {
  std::int64_t step = 0;   ///< optimiser steps done
  std::int64_t epoch = 0;  ///< epochs done
  std::int64_t step_in_epoch = 0;
  double epoch_loss = 0;  ///< sum over the steps of the running epoch
  double best_dice = -1;
  std::int64_t best_step = 0;
  std::int64_t best_epoch = 0;
  std::int64_t since_best = 0;  ///< validations without a better Dice
  double last_dice = -1;
  double last_val_loss = -1;
  double seconds = 0;         ///< spent in all processes of this fold
  bool finished = false;      ///< nothing is left to train
  std::int64_t averaged = 0;  ///< weights that the averaged ones are made of
  double average_dice = -1;   ///< of the averaged weights, when they were validated last
  Plateau plateau;
  /// Of each class, what best_dice, last_dice and average_dice are the means of; empty when it is not known, no number
  /// for a class of which no held-out slide says anything.
  std::vector<double> best_dice_of, last_dice_of, average_dice_of;
  std::string validated_on = "tiles";  ///< what these Dice are of: [validation] how
};

/// Dice of other pixels choose nothing: where `progress` was validated otherwise than `how`, the best is forgotten.
/// True when there was one.
bool forget_other_measure(TrainProgress& progress, const std::string& how);

/// What a checkpoint's figures are measured against.
struct TrainLengths {
  std::int64_t epochs = 0;
  std::int64_t steps_per_epoch = 0;
};

/// As JSON, in one line; and back, checked. Throws Error that names the place of what cannot be.
std::string progress_text(TrainProgress progress);
/// A class's Dice in such JSON: null is no number.
double dice_of_class(const JsonNode& json);
TrainProgress progress_of(const JsonNode& json, const TrainLengths& lengths);

/// Bytes that one checkpoint takes, about: to ask for disk space before training.
std::size_t checkpoint_bytes(const torch::nn::Module& model, const TensorMap& optimizer_state);

/// Writes weights and state as one folder, with their SHA-256 (runs/checkpoint_digests.hpp), then makes the link `last`
/// (and `best`, when asked) point to it, and `previous` to what was the last; checkpoints that no link names are
/// removed. A kill at any moment leaves the old or the new checkpoint, whole. `average`: averaged weights, a file of
/// their own; none when it is empty.
void save_checkpoint(const FoldFolder& fold, const torch::nn::Module& model, const TensorMap& state,
                     const TrainProgress& progress, bool best, const TensorMap& average = {});
/// A checkpoint beside the others that is kept and that nothing goes on from; returns its folder.
std::filesystem::path save_aside(const FoldFolder& fold, const std::string& name, const torch::nn::Module& model,
                                 const TensorMap& state, const TrainProgress& progress);

/// What a checkpoint holds besides the weights.
struct SavedTensors {
  TensorMap state;    ///< of the optimiser and what goes with it
  TensorMap average;  ///< averaged weights; empty when there were none yet
};

/// Loads `last` into the model; gives the other tensors to `take_state`, which throws Error for those that do not fit.
/// Where `last` is not what was written, or impossible, warns and goes back to `previous`, which becomes `last`. Throws
/// Error that names the file when neither is good.
TrainProgress load_checkpoint(const FoldFolder& fold, torch::nn::Module& model, const TrainLengths& lengths,
                              const std::function<void(const SavedTensors&)>& take_state);

}  // namespace nephron::host
