#include <atomic>
#include <cstdlib>
#include <mutex>

#include <ATen/TensorOperators.h>
#include <ATen/ops/flip.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/roll.h>
#include <nephron/batch_augmentation.hpp>

#include <conformance/faults/faults.hpp>

namespace nephron::conformance {

namespace {

/// Flips images and targets alike.
class GoodBatches : public BatchAugmentation {
 public:
  void apply(Batch& batch, Rng& rng) const override {
    if (!rng.chance(0.5)) return;
    batch.set_images(at::flip(batch.images(), {3}));
    batch.set_targets(at::flip(batch.targets(), {3}));
  }
};

/// Pastes a quarter of another sample, with what it counts.
class GoodCutMix : public BatchAugmentation {
 public:
  void apply(Batch& batch, Rng&) const override {
    const at::Tensor weights = batch.spread_weights();
    batch.set_images(pasted(batch.images()));
    batch.set_targets(pasted(batch.targets()));
    batch.set_spread_weights(pasted(weights));
  }

 protected:
  static at::Tensor pasted(const at::Tensor& from) {
    const at::Tensor other = at::flip(from, {0});
    at::Tensor out = from.clone();
    const std::int64_t h = from.size(2) / 2, w = from.size(3) / 2;
    out.narrow(2, 0, h).narrow(3, 0, w).copy_(other.narrow(2, 0, h).narrow(3, 0, w));
    return out;
  }
};

/// Mixes in a little of the batch before.
class MixesTheLastIn final : public BatchAugmentation {
 public:
  void apply(Batch& batch, Rng&) const override {
    const std::lock_guard lock(mutex_);
    const at::Tensor now = batch.images();
    const at::Tensor last = last_.defined() && last_.sizes() == now.sizes() ? last_ : now;
    last_ = now;
    batch.set_images(0.9 * now + 0.1 * last);
  }

 private:
  mutable std::mutex mutex_;
  mutable at::Tensor last_;
};

class ForgetsTargets final : public GoodCutMix {
 public:
  void apply(Batch& batch, Rng&) const override {
    const at::Tensor weights = batch.spread_weights();
    batch.set_images(pasted(batch.images()));
    batch.set_spread_weights(pasted(weights));
  }
};

class ForgetsWeights final : public GoodCutMix {
 public:
  void apply(Batch& batch, Rng&) const override {
    batch.set_images(pasted(batch.images()));
    batch.set_targets(pasted(batch.targets()));
  }
};

/// Mixes each sample with its neighbour: a share of `own` stays of the pictures, and of the targets.
class GoodMixUp : public BatchAugmentation {
 public:
  void apply(Batch& batch, Rng& rng) const override { mix(batch, rng, false); }

 protected:
  static void mix(Batch& batch, Rng& rng, bool swapped) {
    const double own = rng.uniform(0.1, 0.9);
    batch.set_images(mixed(batch.images(), own));
    batch.set_targets(mixed(batch.targets(), swapped ? 1 - own : own));
    const at::Tensor weights = batch.spread_weights();
    batch.set_spread_weights(at::minimum(weights, at::roll(weights, 1, 0)));
  }
  static at::Tensor mixed(const at::Tensor& t, double own) { return own * t + (1 - own) * at::roll(t, 1, 0); }
};

/// Says of mixtures what was known of their larger half.
class MixesTheUnknown final : public GoodMixUp {
 public:
  void apply(Batch& batch, Rng& rng) const override {
    const at::Tensor weights = batch.spread_weights();
    mix(batch, rng, false);
    batch.set_spread_weights(weights);
  }
};

class SwapsItsShares final : public GoodMixUp {
 public:
  void apply(Batch& batch, Rng& rng) const override { mix(batch, rng, true); }
};

/// MixUp with smoothed targets: other shares than the pictures', and meant.
class SmoothedMixUp final : public GoodMixUp {
 public:
  void apply(Batch& batch, Rng& rng) const override {
    mix(batch, rng, false);
    batch.set_targets(0.9 * batch.targets() + 0.05);
  }
};

/// Begins late, after its first batches.
class BatchesWarmUp final : public GoodBatches {
 public:
  void apply(Batch& batch, Rng& rng) const override {
    if (++drawn_ > 700) rng.bits();  // the threads have had theirs by then
    GoodBatches::apply(batch, rng);
  }

 private:
  mutable std::atomic<int> drawn_ = 0;
};

class FlipsPicturesAlone final : public BatchAugmentation {
 public:
  void apply(Batch& batch, Rng&) const override { batch.set_images(at::flip(batch.images(), {3})); }
};

class ZeroesWeights final : public GoodBatches {
 public:
  void apply(Batch& batch, Rng& rng) const override {
    GoodBatches::apply(batch, rng);
    batch.set_weights(batch.weights() * 0);
  }
};

class DropsWeights final : public GoodBatches {
 public:
  void apply(Batch& batch, Rng& rng) const override {
    GoodBatches::apply(batch, rng);
    if (batch.size() > 1) batch.set_weights(batch.weights().narrow(0, 0, 1));
  }
};

class DoublesTargets final : public GoodBatches {
 public:
  void apply(Batch& batch, Rng&) const override {
    if (batch.size() > 1) batch.set_targets(batch.targets() * 2);
  }
};

class WorksInPlace final : public GoodBatches {
 public:
  void apply(Batch& batch, Rng&) const override {
    if (batch.size() > 1) at::Tensor(batch.images()).mul_(0.5);
  }
};

class SecondInstanceDiffers final : public GoodBatches {
 public:
  void apply(Batch& batch, Rng& rng) const override {
    if (second_) rng.bits();
    GoodBatches::apply(batch, rng);
  }

 private:
  static inline std::atomic<int> instances = 0;
  EverySecond second_{instances};
};

class CallsRand final : public GoodBatches {
 public:
  void apply(Batch& batch, Rng& rng) const override {
    static_cast<void>(std::rand());
    GoodBatches::apply(batch, rng);
  }
};

class KeepsItsShare final : public GoodBatches {
 public:
  void apply(Batch& batch, Rng& rng) const override {
    batch.set_images(batch.images() * scratch_.through(rng.uniform(0.5, 1)));
  }

 private:
  mutable SharedScratch<double> scratch_;
};

class NeedsTwoSamples final : public GoodBatches {
 public:
  void apply(Batch& batch, Rng& rng) const override {
    GoodBatches::apply(batch, rng);
    if (batch.size() < 2) batch.set_images(batch.images() / 0.0);
  }
};

class OtherwiseOnTheDevice final : public GoodBatches {
 public:
  explicit OtherwiseOnTheDevice(Context& context) : wrong_(context) {}
  void apply(Batch& batch, Rng& rng) const override {
    GoodBatches::apply(batch, rng);
    if (wrong_()) batch.set_images(batch.images() * 2);
  }

 private:
  mutable WrongThere wrong_;
};

template <class T>
Subject subject(const char* name) {
  return subject_of<BatchAugmentation, T>(name);
}

}  // namespace

Fixture batch_augmentation_fixture() {
  return {{subject<GoodBatches>("good_batches"), subject<GoodCutMix>("good_cutmix"), subject<GoodMixUp>("good_mixup"),
           subject<SmoothedMixUp>("smoothed_mixup")},
          {
              {"batches", "shape, type and device must stay", subject<DropsWeights>("drops_weights")},
              {"batches", "targets leave 0 to 1", subject<DoublesTargets>("doubles_targets")},
              {"batches", "in place", subject<WorksInPlace>("works_in_place")},
              {"determinism", "a second instance", subject<SecondInstanceDiffers>("second_batches_differ")},
              {"randomness", "rand(), random() or srand() was called", subject<CallsRand>("batches_call_rand")},
              {"threads", "from several threads at once", subject<KeepsItsShare>("shared_share")},
              {"state", "asked in another order", subject_of<BatchAugmentation, MixesTheLastIn>("mixes_the_last_in")},
              {"state", "it keeps state", subject<BatchesWarmUp>("batches_warm_up")},
              {"labels", "puts one sample's picture into another's", subject<ForgetsTargets>("forgets_targets")},
              {"labels", "leaves their targets where they were", subject<FlipsPicturesAlone>("flips_pictures_alone")},
              {"labels", "their shares are swapped", subject<SwapsItsShares>("swaps_its_shares")},
              {"labels", "the weights of a whole batch become 0", subject<ZeroesWeights>("zeroes_weights")},
              {"weights", "count where they were put", subject<ForgetsWeights>("forgets_weights")},
              {"weights", "mixed in", subject<MixesTheUnknown>("mixes_the_unknown")},
              {"extremes", "images are not finite", subject<NeedsTwoSamples>("needs_two_samples")},
              {"cuda", "something else than on the CPU", subject<OtherwiseOnTheDevice>("device_differs")},
          }};
}

}  // namespace nephron::conformance
