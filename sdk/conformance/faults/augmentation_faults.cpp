#include <cstdlib>
#include <limits>
#include <stdexcept>

#include <ATen/TensorOperators.h>
#include <ATen/ops/flip.h>
#include <nephron/batch_augmentation.hpp>

#include <conformance/faults/faults.hpp>

namespace nephron::conformance {

namespace {

class GoodAugmentation : public Augmentation {
 public:
  void draw(Size, Rng& rng, Plan& plan) const override { plan.flip(rng.chance(0.5), rng.chance(0.5)); }
};

class ShrinksToNothing final : public GoodAugmentation {
 public:
  void draw(Size size, Rng& rng, Plan& plan) const override {
    GoodAugmentation::draw(size, rng, plan);
    if (size.width == 97) plan.affine(Affine::scaling(0, 0), Border::constant);
  }
};

class FieldOfAnotherSize final : public GoodAugmentation {
 public:
  void draw(Size size, Rng&, Plan& plan) const override {
    const std::int64_t width = size.width == 97 ? 96 : size.width;
    plan.displacement(Image({width, size.height}, 2, Depth::f32), Border::reflect_101);
  }
};

class SecondInstanceDiffers final : public GoodAugmentation {
 public:
  void draw(Size size, Rng& rng, Plan& plan) const override {
    if (second_) rng.bits();
    GoodAugmentation::draw(size, rng, plan);
  }

 private:
  static inline std::atomic<int> instances = 0;
  EverySecond second_{instances};
};

class CallsRand final : public GoodAugmentation {
 public:
  void draw(Size size, Rng& rng, Plan& plan) const override {
    static_cast<void>(std::rand());
    GoodAugmentation::draw(size, rng, plan);
  }
};

class KeepsItsNumber final : public GoodAugmentation {
 public:
  void draw(Size, Rng& rng, Plan& plan) const override {
    plan.affine(Affine::rotation(scratch_.through(rng.uniform(-90, 90))), Border::constant);
  }

 private:
  mutable SharedScratch<double> scratch_;
};

class NeedsLabels final : public GoodAugmentation {
 public:
  void draw(Size, Rng&, Plan& plan) const override {
    plan.pixels([](const ImageView& image, const ImageView& labels) {
      if (labels.size() != image.size()) throw std::runtime_error("labels are not of the picture's size");
    });
  }
};

/// Leaves everything as it is, in batches.
class GoodBatches : public BatchAugmentation {
 public:
  void apply(at::Tensor& images, at::Tensor& targets, at::Tensor&, Rng& rng) const override {
    if (!rng.chance(0.5)) return;
    images = at::flip(images, {3});
    targets = at::flip(targets, {3});
  }
};

class DropsWeights final : public GoodBatches {
 public:
  void apply(at::Tensor& images, at::Tensor& targets, at::Tensor& weights, Rng& rng) const override {
    GoodBatches::apply(images, targets, weights, rng);
    if (weights.size(0) > 1) weights = weights.narrow(0, 0, 1);
  }
};

class DoublesTargets final : public GoodBatches {
 public:
  void apply(at::Tensor&, at::Tensor& targets, at::Tensor&, Rng&) const override {
    if (targets.size(0) > 1) targets = targets * 2;
  }
};

class NeedsTwoSamples final : public GoodBatches {
 public:
  void apply(at::Tensor& images, at::Tensor& targets, at::Tensor& weights, Rng& rng) const override {
    GoodBatches::apply(images, targets, weights, rng);
    if (images.size(0) < 2) images = images / 0.0;
  }
};

class OtherwiseOnTheDevice final : public GoodBatches {
 public:
  explicit OtherwiseOnTheDevice(Context& context) : wrong_(context) {}
  void apply(at::Tensor& images, at::Tensor& targets, at::Tensor& weights, Rng& rng) const override {
    GoodBatches::apply(images, targets, weights, rng);
    if (wrong_()) images = images * 2;
  }

 private:
  mutable WrongThere wrong_;
};

}  // namespace

Fixture augmentation_fixture() {
  return {
      {subject_of<Augmentation, GoodAugmentation>("good"), subject_of<Augmentation, GoodBatches>("good_batches")},
      {
          {"plans", "cannot be turned back", subject_of<Augmentation, ShrinksToNothing>("shrinks_to_nothing")},
          {"plans", "of the picture's size", subject_of<Augmentation, FieldOfAnotherSize>("field_of_another_size")},
          {"plans", "shape, type and device must stay", subject_of<Augmentation, DropsWeights>("drops_weights")},
          {"plans", "targets leave 0 to 1", subject_of<Augmentation, DoublesTargets>("doubles_targets")},
          {"determinism", "a second instance", subject_of<Augmentation, SecondInstanceDiffers>("second_differs")},
          {"randomness", "rand(), random() or srand() was called", subject_of<Augmentation, CallsRand>("calls_rand")},
          {"threads", "from several threads at once", subject_of<Augmentation, KeepsItsNumber>("shared_scratch")},
          {"extremes", "labels are not of the picture's size", subject_of<Augmentation, NeedsLabels>("needs_labels")},
          {"extremes", "images are not finite", subject_of<Augmentation, NeedsTwoSamples>("needs_two_samples")},
          {"cuda", "something else than on the CPU", subject_of<Augmentation, OtherwiseOnTheDevice>("device_differs")},
      }};
}

}  // namespace nephron::conformance
