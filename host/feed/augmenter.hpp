#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <nephron/augmentation.hpp>

#include <host/feed/chain.hpp>
#include <host/feed/plan.hpp>
#include <host/plugins/guard.hpp>
#include <host/plugins/host_context.hpp>
#include <host/plugins/registry.hpp>

namespace nephron::host {

/// The experiment's augmentations of single samples.
class Augmenter {
 public:
  Augmenter(const std::vector<AugmentationConfig>& configs, const Registry& registry, std::uint64_t seed,
            const JobServices& services = {});

  /// Writes the steps for sample `index` of `epoch` into `plan`, and the names of those that gave steps into `applied`
  /// where it is given. `sample` is what the augmentations are told. Thread-safe.
  void draw(std::uint64_t epoch, std::uint64_t index, const SampleInfo& sample, RecordedPlan& plan,
            std::vector<std::string>* applied = nullptr) const;

 private:
  struct Leaf {
    std::string type;
    std::shared_ptr<Augmentation> augmentation;
    Origin origin;
  };

  std::uint64_t seed_;
  Chain<Leaf> chain_;
};

}  // namespace nephron::host
