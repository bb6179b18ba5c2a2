#pragma once

#include <vector>

#include <c10/core/Device.h>

#include <host/config/experiment.hpp>
#include <host/cuda/normalise.hpp>
#include <host/feed/feed.hpp>
#include <host/model/model.hpp>
#include <host/ranks/ranks.hpp>
#include <host/train/batch_tensors.hpp>
#include <host/train/objective.hpp>

namespace nephron::host {

/// What one validation gives. A tile or slide counts for the classes whose weight in it is not 0, a tile unless all of
/// its pixels are ignored; ignored pixels count nowhere.
struct Validation {
  std::int64_t tiles = 0;
  double loss = 0;     ///< mean over the tiles
  bool finite = true;  ///< false where the network's output was no number, which counts as "nothing found"
  /// A class: Dice of the pixels of all tiles, or slides, together; no number where none of them counts for it.
  std::vector<double> dice;
  std::vector<double> tile_dice;  ///< a class: mean of the tiles' own Dice, the reference's measure; likewise
  double mean_dice() const;       ///< mean of `dice` over the classes that have one: what chooses the best checkpoint
};

/// Pixels of every tile and class: predicted (predicted_masks()) and true (target > 0.5) at once, predicted, true.
/// Double, [3, N, C]. Where `pixel_weights` are defined, pixels of weight 0 are left out.
at::Tensor overlap_counts(const at::Tensor& logits, const at::Tensor& targets, const at::Tensor& pixel_weights = {},
                          bool exclusive = false);
/// (2 both + 1e-8) / (predicted + true + 1e-8) of counts [3, ...].
at::Tensor dice_of(const at::Tensor& counts);

/// What networks are validated with. Everything outlives it.
struct ValidationParts {
  SegmentationModel& model;
  const Objective& objective;
  const Experiment& experiment;
  c10::Device device;
  TrainPlace place;  ///< how far the training is
  /// That validate together, each its share: they make the same calls. Null: this process alone.
  const Ranks* ranks = nullptr;

  /// Logits (float) of normalised images, in the training's precision.
  at::Tensor logits_of(const at::Tensor& images) const;
  Normalise normalise() const { return Normalise::of(experiment.data.mean, experiment.data.std); }
};

/// Ranks have done their shares: waits for all. Throws Cancelled where one was interrupted.
void meet_after(const Ranks* ranks, bool cancelled);

/// A network in evaluation mode while it lives, in training mode afterwards.
class Evaluating {
 public:
  explicit Evaluating(SegmentationModel& model) : model_(model) { model_.eval(); }
  ~Evaluating() { model_.train(); }
  Evaluating(const Evaluating&) = delete;
  Evaluating& operator=(const Evaluating&) = delete;

 private:
  SegmentationModel& model_;
};

/// Sums of one pass over tiles, kept on the device: nothing waits for it.
class TileTally {
 public:
  TileTally(bool exclusive, std::size_t classes, c10::Device device);
  void add(const at::Tensor& logits, const BatchTensors& batch, const at::Tensor& mean_loss);
  /// Of all ranks.
  void sum(const Ranks& ranks);
  Validation result() const;

 private:
  bool exclusive_;
  at::Tensor tiles_, loss_, unknown_, counts_, tile_dice_, counted_;  ///< double
};

/// One pass over the validation tiles of `feed`, of which each rank takes some batches. `draws`: tiles when the sampler
/// has no list of its own. Throws Cancelled after Ctrl-C, on all ranks where it was one's.
Validation validate(const ValidationParts& parts, Feed& feed, std::int64_t draws);

}  // namespace nephron::host
