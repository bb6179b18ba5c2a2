#pragma once

#include <vector>

#include <host/feed/feed.hpp>
#include <host/model/model.hpp>
#include <host/train/batch_tensors.hpp>
#include <host/train/objective.hpp>

namespace nephron::host {

/// What one pass over the validation tiles gives. A tile counts for the classes whose weight in it is not 0, unless all
/// of its pixels are ignored; ignored pixels count nowhere.
struct Validation {
  std::int64_t tiles = 0;
  double loss = 0;                ///< mean over the tiles
  std::vector<double> dice;       ///< a class: Dice of the pixels of all tiles together, as of one large slide
  std::vector<double> tile_dice;  ///< a class: mean of the tiles' own Dice, the reference's measure
  double mean_dice() const;       ///< mean of `dice` over the classes: what chooses the best checkpoint
};

/// Pixels of every tile and class: predicted (predicted_masks()) and true (target > 0.5) at once, predicted, true.
/// Double, [3, N, C]. Where `pixel_weights` are defined, pixels of weight 0 are left out.
at::Tensor overlap_counts(const at::Tensor& logits, const at::Tensor& targets, const at::Tensor& pixel_weights = {},
                          bool exclusive = false);
/// (2 both + 1e-8) / (predicted + true + 1e-8) of counts [3, ...].
at::Tensor dice_of(const at::Tensor& counts);

/// One pass over the validation tiles of `feed`, in evaluation mode; the model is back in training mode afterwards.
/// `draws`: tiles when the sampler has no list of its own; `place`: how far the training is. Stops early after Ctrl-C,
/// with what was done so far.
Validation validate(SegmentationModel& model, Feed& feed, const Objective& objective, const Normalise& normalise,
                    c10::Device device, const TrainConfig& config, int batch, std::int64_t draws,
                    const TrainPlace& place);

}  // namespace nephron::host
