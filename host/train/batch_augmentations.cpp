#include <host/train/batch_augmentations.hpp>

#include <host/plugins/guard.hpp>

namespace nephron::host {

BatchAugmentations::BatchAugmentations(const Experiment& experiment, const Registry& registry, const Lent& lent)
    : seed_(static_cast<std::uint64_t>(experiment.seed)) {
  for (std::size_t i = 0; i < experiment.augmentations.size(); ++i) {
    const AugmentationConfig& from = experiment.augmentations[i];
    if (!from.of.empty()) continue;  // combinators hold picture augmentations alone
    const ComponentInfo& info = registry.find(Augmentation::kind, from.component.type);
    if (!info.needs_torch) continue;  // works on no tensors; it is the feed's
    Entry entry;
    entry.context = std::make_unique<HostContext>(from.component.type, "augmentation[" + std::to_string(i) + "]");
    entry.context->seed = seed_;
    entry.context->lent = lent;
    entry.augmentation =
        std::dynamic_pointer_cast<BatchAugmentation>(registry.create<Augmentation>(from.component, *entry.context));
    if (entry.augmentation == nullptr) continue;
    entry.type = from.component.type;
    entry.plugin = info.plugin + " (" + info.file.string() + ")";
    entry.source = from.component.source.str();
    entry.p = from.p;
    entries_.push_back(std::move(entry));
  }
}

BatchAugmentations::~BatchAugmentations() = default;

void BatchAugmentations::apply(BatchTensors& batch, std::uint64_t epoch, std::uint64_t number) const {
  for (const Entry& entry : entries_) {
    Rng rng(seed_, entry.context->place + ".batch", epoch, number);
    if (!rng.chance(entry.p)) continue;
    guarded(Blame{entry.plugin, "augmentation \"" + entry.type + "\"", entry.source, "in apply"},
            [&] { entry.augmentation->apply(batch.images, batch.targets, batch.weights, rng); });
  }
}

}  // namespace nephron::host
