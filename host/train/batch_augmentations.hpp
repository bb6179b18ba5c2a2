#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <nephron/batch_augmentation.hpp>

#include <host/config/experiment.hpp>
#include <host/plugins/host_context.hpp>
#include <host/plugins/registry.hpp>
#include <host/train/batch_tensors.hpp>

namespace nephron::host {

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
    std::string type, plugin, source;
    double p = 1;
  };
  std::uint64_t seed_;
  std::vector<Entry> entries_;
};

}  // namespace nephron::host
