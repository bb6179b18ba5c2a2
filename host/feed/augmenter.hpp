#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <nephron/augmentation.hpp>

#include <host/config/experiment.hpp>
#include <host/feed/plan.hpp>
#include <host/plugins/host_context.hpp>
#include <host/plugins/registry.hpp>

namespace nephron::host {

/// The experiment's augmentations: each is applied with its own probability `p`, in order.
///
/// `sequence` applies its parts in order, each with its `p`. `one_of` applies one part, chosen with weight `p`.
/// Each node draws from a stream of its own, so that a change of one leaves the others as they were.
class Augmenter {
 public:
  Augmenter(const std::vector<AugmentationConfig>& configs, const Registry& registry, std::uint64_t seed,
            const Lent& lent = {});

  /// Writes the steps for sample `index` of `epoch` into `plan`, and the names of those that gave steps into `applied`
  /// where it is given. Thread-safe.
  void draw(std::uint64_t epoch, std::uint64_t index, RecordedPlan& plan,
            std::vector<std::string>* applied = nullptr) const;

 private:
  struct Node {
    enum class Sort { leaf, sequence, one_of } sort = Sort::leaf;
    double p = 1;
    std::string path, type;
    std::shared_ptr<Augmentation> augmentation;  // of a leaf
    Blame blame;
    std::vector<Node> parts;
  };
  static Node make(const AugmentationConfig& config, const std::string& path, const Registry& registry,
                   std::uint64_t seed, const Lent& lent);
  void apply(const Node& node, bool always, std::uint64_t epoch, std::uint64_t index, RecordedPlan& plan,
             std::vector<std::string>* applied) const;

  std::uint64_t seed_;
  std::vector<Node> nodes_;
};

}  // namespace nephron::host
