#include <host/train/batch_augmentations.hpp>

#include <sstream>

#include <nephron/error.hpp>

#include <host/config/load.hpp>

namespace nephron::host {

namespace {

std::string form_of(const at::Tensor& t) {
  std::ostringstream out;
  if (t.defined()) out << t.scalar_type() << " " << t.sizes() << " on " << t.device();
  else out << "undefined";
  return out.str();
}

/// Whoever uses a tensor of another form would be blamed for it.
void require_form(const char* name, const std::string& before, const at::Tensor& after) {
  if (const std::string now = form_of(after); now != before)
    throw Error("it made the " + std::string(name) + " " + now + "; expected " + before + " as before");
}

/// Adds a fault for each augmentation of batches below this one.
void find_inside(const AugmentationConfig& holder, const Registry& registry, Diagnostics& faults) {
  for (const AugmentationConfig& part : holder.of) {
    find_inside(part, registry, faults);
    if (!part.of.empty() || !registry.find(Augmentation::kind, part.component.type).needs_torch) continue;
    HostContext context(part.component.type, "augmentation");
    const auto made = registry.create<Augmentation>(part.component, context);
    if (dynamic_cast<const BatchAugmentation*>(made.get()) == nullptr) continue;
    faults.push_back({part.component.source,
                      "\"" + part.component.type + "\" changes whole batches; " + holder.component.type +
                          " is drawn for each sample, and would never run it",
                      "name it in an [[augmentation]] of its own, with its p"});
  }
}

}  // namespace

void require_batch_augmentations_at_top(const Experiment& experiment, const Registry& registry) {
  Diagnostics faults;
  for (const AugmentationConfig& a : experiment.augmentations) find_inside(a, registry, faults);
  if (!faults.empty()) throw ConfigError(std::move(faults));
}

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
    entry.blame = {info.plugin + " (" + info.file.string() + ")", "augmentation \"" + from.component.type + "\"",
                   from.component.source.str(), "in apply"};
    entry.p = from.p;
    entries_.push_back(std::move(entry));
  }
}

BatchAugmentations::~BatchAugmentations() = default;

void BatchAugmentations::apply(BatchTensors& batch, std::uint64_t epoch, std::uint64_t number) const {
  for (const Entry& entry : entries_) {
    Rng rng(seed_, entry.context->place + ".batch", epoch, number);
    if (!rng.chance(entry.p)) continue;
    batch.known_weights.reset();  // it may change them
    const std::string images = form_of(batch.images), targets = form_of(batch.targets),
                      weights = form_of(batch.weights);
    guarded(entry.blame, [&] {
      entry.augmentation->apply(batch.images, batch.targets, batch.weights, rng);
      require_form("images", images, batch.images);
      require_form("targets", targets, batch.targets);
      require_form("weights", weights, batch.weights);
    });
  }
}

}  // namespace nephron::host
