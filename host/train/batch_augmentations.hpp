#pragma once

#include <cstdint>
#include <memory>

#include <nephron/batch_augmentation.hpp>

#include <host/config/experiment.hpp>
#include <host/feed/chain.hpp>
#include <host/plugins/guard.hpp>
#include <host/plugins/host_context.hpp>
#include <host/plugins/registry.hpp>
#include <host/train/batch_tensors.hpp>

namespace nephron::host {

/// Which batch of a training this is.
struct BatchNumber {
  std::uint64_t epoch = 0, number = 0;  ///< the number counts from 0 in each epoch
};

/// The experiment's augmentations of whole batches.
class BatchAugmentations {
 public:
  BatchAugmentations(const Experiment& experiment, const Registry& registry, const JobServices& services);
  bool empty() const noexcept { return chain_.empty(); }
  /// Random numbers are a function of (seed, place, number of the batch) alone.
  void apply(BatchTensors& batch, const BatchNumber& number) const;

 private:
  struct Leaf {
    std::shared_ptr<BatchAugmentation> augmentation;
    Origin origin;
  };
  std::uint64_t seed_;
  Chain<Leaf> chain_;
};

}  // namespace nephron::host
