#include <conformance/faults/loss_faults.hpp>

#include <cstdlib>

#include <ATen/ops/amax.h>
#include <ATen/ops/log.h>
#include <ATen/ops/sigmoid.h>
#include <nephron/loss_input.hpp>

namespace nephron::conformance {

namespace {

class AtMostFourClasses final : public GoodLoss {
 public:
  at::Tensor forward(const at::Tensor& logits, const at::Tensor& target) const override {
    const std::int64_t classes = std::min<std::int64_t>(4, logits.size(1));
    return GoodLoss::forward(logits, target).narrow(1, 0, classes);
  }
};

class SinglePrecision final : public GoodLoss {
 public:
  at::Tensor forward(const at::Tensor& logits, const at::Tensor& target) const override {
    const at::Tensor value = GoodLoss::forward(logits, target);
    return logits.size(1) == 5 ? value.to(at::kDouble) : value;
  }
};

class ReadsMemoryInOrder final : public GoodLoss {
 public:
  at::Tensor forward(const at::Tensor& logits, const at::Tensor& target) const override {
    return GoodLoss::forward(logits, target) * (logits.is_contiguous() ? 1 : 2);
  }
};

/// A focal loss whose weight is taken for a constant.
class DetachedWeight final : public GoodLoss {
 public:
  at::Tensor forward(const at::Tensor& logits, const at::Tensor& target) const override {
    const at::Tensor miss = (at::sigmoid(logits) - target).abs().detach();
    return (miss * miss * (at::softplus(logits) - logits * target)).mean(at::IntArrayRef{2, 3});
  }
};

class NormalisesByTheBatch final : public GoodLoss {
 public:
  at::Tensor forward(const at::Tensor& logits, const at::Tensor& target) const override {
    const at::Tensor value = GoodLoss::forward(logits, target);
    return value / (0.1 + value.mean(at::IntArrayRef{0}));
  }
};

/// Divides by the number of foreground pixels of the batch, not of the sample.
class NormalisesByTheTarget final : public GoodLoss {
 public:
  at::Tensor forward(const at::Tensor& logits, const at::Tensor& target) const override {
    return GoodLoss::forward(logits, target) / (1 + target.mean(at::IntArrayRef{0, 2, 3}));
  }
};

/// Divides by the largest target of the batch.
class NormalisesByTheLargest final : public GoodLoss {
 public:
  at::Tensor forward(const at::Tensor& logits, const at::Tensor& target) const override {
    return GoodLoss::forward(logits, target) / (0.5 + at::amax(target, {0, 2, 3}));
  }
};

class MixesClasses : public GoodLoss {
 public:
  at::Tensor forward(const at::Tensor& logits, const at::Tensor& target) const override {
    const at::Tensor value = GoodLoss::forward(logits, target);
    return value + 0.1 * value.mean(at::IntArrayRef{1}, /*keepdim=*/true);
  }
};

class MixesClassesAndSaysSo final : public MixesClasses, public CouplesClasses {};

class SharpensTheTarget final : public GoodLoss {
 public:
  at::Tensor forward(const at::Tensor& logits, const at::Tensor& target) const override {
    at::Tensor sharp = target;
    return GoodLoss::forward(logits, sharp.mul_(1.1).clamp_(0, 1));
  }
};

class ScalesTheLogits final : public GoodLoss {
 public:
  at::Tensor forward(const at::Tensor& logits, const at::Tensor& target) const override {
    at::Tensor scaled = logits;
    return GoodLoss::forward(scaled.mul_(0.5), target);
  }
};

class SecondInstanceDiffers final : public GoodLoss {
 public:
  at::Tensor forward(const at::Tensor& logits, const at::Tensor& target) const override {
    return GoodLoss::forward(logits, target) * (second_ ? 2 : 1);
  }

 private:
  static inline std::atomic<int> instances = 0;
  EverySecond second_{instances};
};

class CallsRand final : public GoodLoss {
 public:
  at::Tensor forward(const at::Tensor& logits, const at::Tensor& target) const override {
    return GoodLoss::forward(logits, target) * (std::rand() >= 0 ? 1 : 2);
  }
};

class KeepsItsLogits final : public GoodLoss {
 public:
  at::Tensor forward(const at::Tensor& logits, const at::Tensor& target) const override {
    return GoodLoss::forward(scratch_.through(logits), target);
  }

 private:
  mutable SharedScratch<at::Tensor> scratch_;
};

class LogarithmOfNothing final : public GoodLoss {
 public:
  at::Tensor forward(const at::Tensor& logits, const at::Tensor& target) const override {
    const at::Tensor p = at::sigmoid(logits);
    return (-(target * at::log(p) + (1 - target) * at::log(1 - p))).mean(at::IntArrayRef{2, 3});
  }
};

/// Dice without a smoothing term: 0 / 0 where there is nothing to find and nothing is found.
class BareDice : public Loss {
 public:
  at::Tensor forward(const at::Tensor& logits, const at::Tensor& target) const override {
    return of(at::sigmoid(logits), target);
  }

 protected:
  static at::Tensor of(const at::Tensor& p, const at::Tensor& t) {
    return 1 - 2 * (p * t).sum({2, 3}) / (p + t).sum({2, 3});
  }
};

/// The same of the background: 0 / 0 where all is foreground.
class BareDiceOfTheBackground final : public BareDice {
 public:
  at::Tensor forward(const at::Tensor& logits, const at::Tensor& target) const override {
    return of(at::sigmoid(-logits), 1 - target);
  }
};

/// A ramp over the first steps of a training.
class WarmsUp final : public GoodLoss {
 public:
  at::Tensor forward(const at::Tensor& logits, const at::Tensor& target) const override {
    return GoodLoss::forward(logits, target) * (++calls_ > 500 ? 2 : 1);
  }

 private:
  mutable std::atomic<int> calls_ = 0;
};

class OneNumber final : public GoodLoss {
 public:
  at::Tensor forward(const at::Tensor& logits, const at::Tensor& target) const override {
    return GoodLoss::forward(logits, target).mean();
  }
};

class ValueAPixel final : public GoodLoss {
 public:
  at::Tensor forward(const at::Tensor& logits, const at::Tensor& target) const override {
    return at::softplus(logits) - logits * target;
  }
};

class OtherwiseOnTheDevice final : public GoodLoss {
 public:
  explicit OtherwiseOnTheDevice(Context& context) : wrong_(context) {}
  at::Tensor forward(const at::Tensor& logits, const at::Tensor& target) const override {
    return GoodLoss::forward(logits, target) * (wrong_() ? 2 : 1);
  }

 private:
  mutable WrongThere wrong_;
};

/// Looks at more than logits and target, and minds what single pixels count.
class MindsItsPixels : public InputLoss {
 public:
  std::uint32_t needs() const override { return LossNeeds::distance; }
  at::Tensor value(const LossInput& input) const override { return pixel_mean(of_pixels(input), input); }

 protected:
  static at::Tensor of_pixels(const LossInput& input) {
    const at::Tensor entropy = at::softplus(input.logits()) - input.logits() * input.target();
    return entropy + input.progress() * at::sigmoid(input.logits()) * input.distance();
  }
};

class IgnoresItsPixels final : public MindsItsPixels {
 public:
  at::Tensor value(const LossInput& input) const override { return of_pixels(input).mean(at::IntArrayRef{2, 3}); }
};

/// Learns nothing from pixels that count 0, but counts their foreground.
class CountsWhatIsUnknown final : public MindsItsPixels {
 public:
  at::Tensor value(const LossInput& input) const override {
    return MindsItsPixels::value(input) / (1 + input.target().mean(at::IntArrayRef{2, 3}));
  }
};

}  // namespace

Fixture loss_fixture() {
  return {
      {subject_of<Loss, GoodLoss>("good"), subject_of<Loss, MixesClassesAndSaysSo>("mixes_classes_and_says_so"),
       subject_of<Loss, MindsItsPixels>("minds_its_pixels")},
      {
          {"shapes", "expected [2, 5] or [1, 5]", subject_of<Loss, AtMostFourClasses>("at_most_four_classes")},
          {"shapes", "expected the type of the logits", subject_of<Loss, SinglePrecision>("another_type")},
          {"memory", "channels_last memory gives another value", subject_of<Loss, ReadsMemoryInOrder>("memory_order")},
          {"gradients", "differs from finite differences", subject_of<Loss, DetachedWeight>("detached_weight")},
          {"inputs", "forward changes the target that it is given", subject_of<Loss, SharpensTheTarget>("sharpens")},
          {"inputs", "forward changes the logits that it is given", subject_of<Loss, ScalesTheLogits>("scales")},
          {"samples", "with the logits of another sample",
           subject_of<Loss, NormalisesByTheBatch>("normalised_by_batch")},
          {"samples", "with the target of another sample",
           subject_of<Loss, NormalisesByTheTarget>("normalised_by_target")},
          {"samples", "with the target of another sample",
           subject_of<Loss, NormalisesByTheLargest>("normalised_by_largest")},
          {"shapes", "it is one number for the whole batch: .mean({2, 3})", subject_of<Loss, OneNumber>("one_number")},
          {"shapes", "it is a value a pixel: .mean({2, 3})", subject_of<Loss, ValueAPixel>("value_a_pixel")},
          {"state", "it keeps state", subject_of<Loss, WarmsUp>("warms_up")},
          {"extremes", "the value for an empty target and all logits -1", subject_of<Loss, BareDice>("bare_dice")},
          {"extremes", "the value for a full target and all logits 1",
           subject_of<Loss, BareDiceOfTheBackground>("bare_dice_of_background")},
          {"classes", "with the logits of another class", subject_of<Loss, MixesClasses>("mixes_classes")},
          {"determinism", "a second instance", subject_of<Loss, SecondInstanceDiffers>("second_differs")},
          {"randomness", "rand(), random() or srand() was called", subject_of<Loss, CallsRand>("calls_rand")},
          {"threads", "from several threads at once", subject_of<Loss, KeepsItsLogits>("shared_scratch")},
          {"extremes", "is not finite", subject_of<Loss, LogarithmOfNothing>("logarithm_of_nothing")},
          {"pixels", "are learnt from", subject_of<Loss, IgnoresItsPixels>("ignores_its_pixels")},
          {"pixels", "other logits and targets", subject_of<Loss, CountsWhatIsUnknown>("counts_unknown")},
          {"cuda", "differ from the CPU's", subject_of<Loss, OtherwiseOnTheDevice>("device_differs")},
      }};
}

}  // namespace nephron::conformance
