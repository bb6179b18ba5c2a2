#include <host/train/batch_augmentations.hpp>

#include <sstream>

#include <nephron/error.hpp>

#include <host/slides/make_component.hpp>

namespace nephron::host {

namespace {

std::string form_of(const at::Tensor& t) {
  std::ostringstream out;
  if (t.defined()) out << t.scalar_type() << " " << t.sizes() << " on " << t.device();
  else out << "undefined";
  return out.str();
}

/// Whoever uses a tensor of another form would be blamed for it.
void require_form(const char* name, const at::Tensor& before, const at::Tensor& after) {
  if (form_of(after) != form_of(before))
    throw Error("it made the " + std::string(name) + " " + form_of(after) + "; expected " + form_of(before) +
                " as before");
}

void require_forms(const BatchTensors& before, const Batch& after) {
  require_form("images", before.images, after.images());
  require_form("targets", before.targets, after.targets());
  require_form("weights", before.weights, after.weights());
  if (after.pixel_weights().defined()) require_form("pixel weights", before.targets, after.pixel_weights());
  else if (before.pixel_weights.defined()) throw Error("it dropped the pixel weights");
}

}  // namespace

BatchAugmentations::BatchAugmentations(const Experiment& experiment, const Registry& registry,
                                       const JobServices& services)
    : seed_(static_cast<std::uint64_t>(experiment.seed)),
      chain_(experiment.batch_augmentations, "batch_augmentation",
             [&](const BatchAugmentationConfig& link, const std::string& path) {
               return Leaf{make_component<BatchAugmentation>(registry, link.component, path, seed_, services),
                           origin_of(registry, BatchAugmentation::kind, link.component, "in apply")};
             }) {}

void BatchAugmentations::apply(BatchTensors& tensors, const BatchNumber& number) const {
  chain_.draw(seed_, number.epoch, number.number, [&](const Leaf& leaf, Rng& rng) {
    guarded(leaf.origin, [&] {
      Batch batch(tensors.images, tensors.targets, tensors.weights);
      batch.set_pixel_weights(tensors.pixel_weights);
      leaf.augmentation->apply(batch, rng);
      require_forms(tensors, batch);
      // Weights that were replaced are known on the device alone; as those of pixels nobody has to read them back.
      if (!batch.weights().is_same(tensors.weights)) batch.set_spread_weights(batch.spread_weights());
      tensors = {batch.images(), batch.targets(), batch.weights(), tensors.known_weights, batch.pixel_weights()};
    });
  });
}

}  // namespace nephron::host
