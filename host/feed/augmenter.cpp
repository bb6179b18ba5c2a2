#include <host/feed/augmenter.hpp>

#include <host/slides/make_component.hpp>

namespace nephron::host {

Augmenter::Augmenter(const std::vector<AugmentationConfig>& configs, const Registry& registry, std::uint64_t seed,
                     const JobServices& services)
    : seed_(seed), chain_(configs, "augmentation", [&](const AugmentationConfig& link, const std::string& path) {
        return Leaf{link.component.type, make_component<Augmentation>(registry, link.component, path, seed, services),
                    origin_of(registry, Augmentation::kind, link.component, "augmenting a sample")};
      }) {}

void Augmenter::draw(std::uint64_t epoch, std::uint64_t index, const SampleInfo& sample, RecordedPlan& plan,
                     std::vector<std::string>* applied) const {
  chain_.draw(seed_, epoch, index, [&](const Leaf& leaf, Rng& rng) {
    const std::size_t before = plan.told();
    plan.set_origin(&leaf.origin);
    guarded(leaf.origin, [&] { leaf.augmentation->draw(sample, rng, plan); });
    if (applied != nullptr && plan.told() != before) applied->push_back(leaf.type);
  });
}

}  // namespace nephron::host
