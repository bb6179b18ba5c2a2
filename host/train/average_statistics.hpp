#pragma once

#include <cstdint>

#include <host/feed/feed.hpp>
#include <host/ranks/ranks.hpp>
#include <host/train/train_state.hpp>

namespace nephron::host {

/// Where the batches of a pass come from.
struct StatisticsPass {
  const Experiment& experiment;
  Feed& feed;  ///< of training
  c10::Device device;
  int fold = 0;
  const Ranks* ranks = nullptr;  ///< each with its share of the batches; statistics that they do not share differ
};

/// Gives the averaged weights of `state` statistics of their own, made of the first batches of the epoch that was just
/// trained, without batch augmentations: a function of (seed, fold, epoch) and the averages. Stops early after Ctrl-C.
void remake_statistics(TrainState& state, const StatisticsPass& pass);

}  // namespace nephron::host
