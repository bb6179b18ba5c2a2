#include <atomic>
#include <cstdlib>
#include <limits>
#include <stdexcept>
#include <utility>

#include <ATen/TensorOperators.h>
#include <ATen/ops/flip.h>
#include <ATen/ops/roll.h>
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

class FieldOfOffsets final : public GoodAugmentation {
 public:
  void draw(Size size, Rng& rng, Plan& plan) const override {
    Image field(size, 2, Depth::f32);
    for (std::int64_t y = 0; y < size.height; ++y)
      for (std::int64_t x = 0; x < 2 * size.width; ++x)
        field.view().row<float>(y)[x] = static_cast<float>(rng.uniform(-3, 3));
    plan.displacement(field, Border::reflect_101);
  }
};

/// Warms up: does more after its first thousand pictures.
class WarmsUp final : public GoodAugmentation {
 public:
  void draw(Size size, Rng& rng, Plan& plan) const override {
    if (++drawn_ > 1000) rng.bits();
    GoodAugmentation::draw(size, rng, plan);
  }

 private:
  mutable std::atomic<int> drawn_ = 0;
};

class MovesThePictureAlone final : public GoodAugmentation {
 public:
  void draw(Size, Rng&, Plan& plan) const override {
    plan.pixels([](const ImageView& image, const ImageView&) {
      for (std::int64_t y = 0; y < image.height; ++y) {
        auto* row = image.row<std::uint8_t>(y);
        for (std::int64_t x = 0; x < image.width / 2; ++x)
          for (int c = 0; c < 3; ++c) std::swap(row[3 * x + c], row[3 * (image.width - 1 - x) + c]);
      }
    });
  }
};

/// Good ones that change the picture alone, and may: colours, noise, a square painted over.
class PaintsOver final : public GoodAugmentation {
 public:
  void draw(Size, Rng& rng, Plan& plan) const override {
    const auto seed = rng.bits();
    plan.pixels([seed](const ImageView& image, const ImageView&) {
      Rng own(seed, "noise");
      for (std::int64_t y = 0; y < image.height; ++y) {
        auto* row = image.row<std::uint8_t>(y);
        for (std::int64_t x = 0; x < 3 * image.width; ++x)
          row[x] = y < image.height / 3 ? 128 : static_cast<std::uint8_t>(255 - (row[x] ^ own.integer(0, 15)));
      }
    });
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

class GoodCutMix : public BatchAugmentation {
 public:
  void apply(at::Tensor& images, at::Tensor& targets, at::Tensor&, Rng& rng) const override {
    paste(images, rng), paste(targets, rng);
  }

 protected:
  static void paste(at::Tensor& batch, const Rng&) {
    const at::Tensor other = at::flip(batch, {0});
    batch = batch.clone();
    const std::int64_t h = batch.size(2) / 2, w = batch.size(3) / 2;
    batch.narrow(2, 0, h).narrow(3, 0, w).copy_(other.narrow(2, 0, h).narrow(3, 0, w));
  }
};

class ForgetsTargets final : public GoodCutMix {
 public:
  void apply(at::Tensor& images, at::Tensor&, at::Tensor&, Rng& rng) const override { paste(images, rng); }
};

/// Mixes each sample with its neighbour: a share of `own` stays of the pictures, and of the targets.
class GoodMixUp : public BatchAugmentation {
 public:
  void apply(at::Tensor& images, at::Tensor& targets, at::Tensor&, Rng& rng) const override {
    const double own = rng.uniform(0.1, 0.9);
    images = mixed(images, own), targets = mixed(targets, own);
  }

 protected:
  static at::Tensor mixed(const at::Tensor& batch, double own) {
    return own * batch + (1 - own) * at::roll(batch, 1, 0);
  }
};

class SwapsItsShares final : public GoodMixUp {
 public:
  void apply(at::Tensor& images, at::Tensor& targets, at::Tensor&, Rng& rng) const override {
    const double own = rng.uniform(0.1, 0.9);
    images = mixed(images, own), targets = mixed(targets, 1 - own);
  }
};

/// MixUp with smoothed targets: other shares than the pictures', and meant.
class SmoothedMixUp final : public GoodMixUp {
 public:
  void apply(at::Tensor& images, at::Tensor& targets, at::Tensor& weights, Rng& rng) const override {
    GoodMixUp::apply(images, targets, weights, rng);
    targets = 0.9 * targets + 0.05;
  }
};

/// Begins late, as WarmsUp does for pictures.
class BatchesWarmUp final : public GoodBatches {
 public:
  void apply(at::Tensor& images, at::Tensor& targets, at::Tensor& weights, Rng& rng) const override {
    if (++drawn_ > 350) rng.bits();
    GoodBatches::apply(images, targets, weights, rng);
  }

 private:
  mutable std::atomic<int> drawn_ = 0;
};

class FlipsPicturesAlone final : public BatchAugmentation {
 public:
  void apply(at::Tensor& images, at::Tensor&, at::Tensor&, Rng&) const override { images = at::flip(images, {3}); }
};

class ZeroesWeights final : public GoodBatches {
 public:
  void apply(at::Tensor& images, at::Tensor& targets, at::Tensor& weights, Rng& rng) const override {
    GoodBatches::apply(images, targets, weights, rng);
    weights = weights * 0;
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
      {subject_of<Augmentation, GoodAugmentation>("good"), subject_of<Augmentation, PaintsOver>("paints_over"),
       subject_of<Augmentation, GoodBatches>("good_batches"), subject_of<Augmentation, GoodCutMix>("good_cutmix"),
       subject_of<Augmentation, GoodMixUp>("good_mixup"), subject_of<Augmentation, SmoothedMixUp>("smoothed_mixup")},
      {
          {"plans", "cannot be turned back", subject_of<Augmentation, ShrinksToNothing>("shrinks_to_nothing")},
          {"plans", "of the picture's size", subject_of<Augmentation, FieldOfAnotherSize>("field_of_another_size")},
          {"plans", "looks like offsets", subject_of<Augmentation, FieldOfOffsets>("field_of_offsets")},
          {"plans", "shape, type and device must stay", subject_of<Augmentation, DropsWeights>("drops_weights")},
          {"plans", "targets leave 0 to 1", subject_of<Augmentation, DoublesTargets>("doubles_targets")},
          {"determinism", "a second instance", subject_of<Augmentation, SecondInstanceDiffers>("second_differs")},
          {"state", "it keeps state", subject_of<Augmentation, WarmsUp>("warms_up")},
          {"labels", "leaves its labels where they were",
           subject_of<Augmentation, MovesThePictureAlone>("picture_alone")},
          {"labels", "puts one sample's picture into another's",
           subject_of<Augmentation, ForgetsTargets>("forgets_targets")},
          {"labels", "leaves their targets where they were",
           subject_of<Augmentation, FlipsPicturesAlone>("flips_pictures_alone")},
          {"labels", "their shares are swapped", subject_of<Augmentation, SwapsItsShares>("swaps_its_shares")},
          {"state", "it keeps state", subject_of<Augmentation, BatchesWarmUp>("batches_warm_up")},
          {"labels", "the weights of a whole batch become 0",
           subject_of<Augmentation, ZeroesWeights>("zeroes_weights")},
          {"randomness", "rand(), random() or srand() was called", subject_of<Augmentation, CallsRand>("calls_rand")},
          {"threads", "from several threads at once", subject_of<Augmentation, KeepsItsNumber>("shared_scratch")},
          {"extremes", "labels are not of the picture's size", subject_of<Augmentation, NeedsLabels>("needs_labels")},
          {"extremes", "images are not finite", subject_of<Augmentation, NeedsTwoSamples>("needs_two_samples")},
          {"cuda", "something else than on the CPU", subject_of<Augmentation, OtherwiseOnTheDevice>("device_differs")},
      }};
}

}  // namespace nephron::conformance
