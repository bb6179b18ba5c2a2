#include <host/feed/augmenter.hpp>

#include <host/feed/component.hpp>

namespace nephron::host {

Augmenter::Augmenter(const std::vector<AugmentationConfig>& configs, const Registry& registry, std::uint64_t seed,
                     const Lent& lent)
    : seed_(seed) {
  for (std::size_t i = 0; i < configs.size(); ++i)
    nodes_.push_back(make(configs[i], "augmentation[" + std::to_string(i) + "]", registry, seed, lent));
}

Augmenter::Node Augmenter::make(const AugmentationConfig& config, const std::string& path, const Registry& registry,
                                std::uint64_t seed, const Lent& lent) {
  Node node;
  node.p = config.p;
  node.path = path;
  const std::string& type = config.component.type;
  node.type = type;
  if (type != "one_of" && type != "sequence") {
    node.augmentation = make_with_context<Augmentation>(registry, config.component, path, seed, lent);
    node.blame = blame_of(registry, Augmentation::kind, config.component, "augmenting a sample");
    return node;
  }
  node.sort = type == "one_of" ? Node::Sort::one_of : Node::Sort::sequence;
  double weights = 0;
  for (std::size_t i = 0; i < config.of.size(); ++i) {
    node.parts.push_back(make(config.of[i], path + ".of[" + std::to_string(i) + "]", registry, seed, lent));
    weights += config.of[i].p;
  }
  if (node.parts.empty() || (node.sort == Node::Sort::one_of && !(weights > 0)))
    throw Error(config.component.source.str() + ": \"" + type + "\" has nothing to choose from",
                "write of = [ { type = \"...\" }, ... ] with weights p above 0");
  return node;
}

void Augmenter::draw(std::uint64_t epoch, std::uint64_t index, RecordedPlan& plan,
                     std::vector<std::string>* applied) const {
  for (const Node& node : nodes_) apply(node, false, epoch, index, plan, applied);
}

void Augmenter::apply(const Node& node, bool always, std::uint64_t epoch, std::uint64_t index, RecordedPlan& plan,
                      std::vector<std::string>* applied) const {
  Rng rng(seed_, node.path, epoch, index);
  if (!rng.chance(node.p) && !always) return;
  switch (node.sort) {
    case Node::Sort::leaf: {
      const std::size_t before = plan.told();
      plan.set_blame(&node.blame);
      guarded(node.blame, [&] { node.augmentation->draw(plan.picture(), rng, plan); });
      if (applied != nullptr && plan.told() != before) applied->push_back(node.type);
      return;
    }
    case Node::Sort::sequence:
      for (const Node& part : node.parts) apply(part, false, epoch, index, plan, applied);
      return;
    case Node::Sort::one_of: {
      double weights = 0;
      for (const Node& part : node.parts) weights += part.p;
      double u = rng.uniform(0, weights);
      const Node* chosen = nullptr;
      for (const Node& part : node.parts) {
        if (part.p <= 0) continue;
        chosen = &part;
        u -= part.p;
        if (u < 0) break;
      }
      if (chosen != nullptr) apply(*chosen, true, epoch, index, plan, applied);
    }
  }
}

}  // namespace nephron::host
