#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <nephron/batch_augmentation.hpp>

#include <host/config/experiment.hpp>
#include <host/plugins/guard.hpp>
#include <host/plugins/host_context.hpp>
#include <host/plugins/registry.hpp>
#include <host/train/batch_tensors.hpp>

namespace nephron::host {

/// Throws ConfigError for an augmentation of batches inside one_of or sequence: those are carried out for each sample.
void require_batch_augmentations_at_top(const Experiment& experiment, const Registry& registry);

/// The augmentations of an experiment that work on whole batches, in their order. The feed carries out the others.
class BatchAugmentations {
 public:
  BatchAugmentations(const Experiment& experiment, const Registry& registry, const Lent& lent);
  ~BatchAugmentations();
  bool empty() const noexcept { return entries_.empty(); }
  /// Random numbers are a function of (seed, place, epoch, number of the batch) alone.
  void apply(BatchTensors& batch, std::uint64_t epoch, std::uint64_t number) const;

 private:
  struct Entry {
    std::unique_ptr<HostContext> context;
    std::shared_ptr<BatchAugmentation> augmentation;
    Blame blame;
    double p = 1;
  };
  std::uint64_t seed_;
  std::vector<Entry> entries_;
};

}  // namespace nephron::host
