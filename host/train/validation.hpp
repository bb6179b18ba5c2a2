#pragma once

#include <vector>

#include <host/feed/feed.hpp>
#include <host/model/model.hpp>
#include <host/train/batch_tensors.hpp>
#include <host/train/objective.hpp>

namespace nephron::host {

/// Means over the tiles of one pass.
struct Validation {
  std::int64_t tiles = 0;
  double loss = 0;
  std::vector<double> dice;  ///< a class: mean over the tiles where it counts of the tile's Dice (sigmoid > 0.5)
  double mean_dice() const;  ///< over the classes
};

/// Dice of every tile and class: prediction is sigmoid(logit) > 0.5, truth is target > 0.5. [N, C] double.
at::Tensor tile_dice(const at::Tensor& logits, const at::Tensor& targets);

/// One pass over the validation tiles of `feed`, in evaluation mode; the model is back in training mode afterwards.
/// `draws`: tiles when the sampler has no list of its own. Stops early after Ctrl-C, with what was done so far.
Validation validate(SegmentationModel& model, Feed& feed, const Objective& objective, const Normalise& normalise, c10::Device device,
                    const TrainConfig& config, int batch, std::int64_t draws);

}  // namespace nephron::host
