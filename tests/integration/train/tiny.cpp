// A network small enough to train whole runs in a test, and components that break on demand.
#include <atomic>
#include <cmath>
#include <limits>
#include <utility>

#include <ATen/ops/amax.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/upsample_nearest2d.h>
#include <ATen/ops/zeros.h>

#include <nephron/augmentation.hpp>
#include <nephron/batch_augmentation.hpp>
#include <nephron/decoder.hpp>
#include <nephron/loss_input.hpp>
#include <nephron/nn/batch_norm.hpp>
#include <nephron/nn/recompute.hpp>

namespace {

at::Tensor filter(std::int64_t out, std::int64_t in) {
  return at::empty({out, in, 3, 3}).normal_(0, std::sqrt(2.0 / (9.0 * static_cast<double>(in))));
}

struct TinyParams {
  bool norm = false;
  bool sdk_norm = false;
  double dropout = 0.2;
  static void describe(nephron::Schema<TinyParams>& s) {
    s.field("sdk_norm", &TinyParams::sdk_norm, "the same with the SDK's module, twice");
    s.field("dropout", &TinyParams::dropout, "share of values that are dropped");
    s.field("norm", &TinyParams::norm, "normalise by the batch behind the convolution");
  }
};

// Dropout draws from torch's generator: a resumed run must draw what an unbroken one draws.
class TinyEncoder final : public nephron::Encoder {
 public:
  explicit TinyEncoder(const TinyParams& params) : params_(params) {}
  void build(const nephron::EncoderOptions& options) override {
    weight_ = register_parameter("conv", filter(8, options.in_channels));
    if (params_.sdk_norm) {
      first_norm_ = register_module("norm", std::make_shared<nephron::nn::BatchNorm2d>(8));
      second_norm_ = register_module("norm2", std::make_shared<nephron::nn::BatchNorm2d>(8));
    }
    if (!params_.norm) return;
    mean_ = register_buffer("running_mean", at::zeros({8}));
    var_ = register_buffer("running_var", at::ones({8}));
  }
  std::vector<nephron::Level> levels() const override { return {{3, 1}, {8, 2}}; }
  std::vector<at::Tensor> forward(const at::Tensor& image) override {
    return {image, nephron::nn::recomputed(*this, {image}, [this](const auto& in) { return features(in[0]); })};
  }

 private:
  at::Tensor features(const at::Tensor& image) {
    at::Tensor x = at::conv2d(image, weight_, {}, 2, 1);
    if (params_.norm) x = at::batch_norm(x, {}, {}, mean_, var_, is_training(), 0.1, 1e-5, false);
    if (params_.sdk_norm) x = second_norm_->forward(at::relu(first_norm_->forward(x)));
    return at::dropout(at::relu(x), params_.dropout, is_training());
  }

  TinyParams params_;
  at::Tensor weight_, mean_, var_;
  std::shared_ptr<nephron::nn::BatchNorm2d> first_norm_, second_norm_;
};

class TinyDecoder : public nephron::Decoder {
 public:
  int depth() const override { return 1; }
  void build(const std::vector<nephron::Level>& levels) override {
    weight_ = register_parameter("conv", filter(8, levels.back().channels));
  }
  nephron::HeadSpec head() const override { return {8, 3, 1}; }
  at::Tensor forward(const std::vector<at::Tensor>& features) override {
    const at::Tensor x = at::relu(at::conv2d(features.back(), weight_, {}, 1, 1));
    return at::upsample_nearest2d(x, {features[0].size(2), features[0].size(3)});
  }

 private:
  at::Tensor weight_;
};

/// The same with a second map, which is trained besides.
class SupervisedDecoder final : public TinyDecoder, public nephron::AuxiliaryMaps {
 public:
  std::vector<nephron::HeadSpec> auxiliary_heads() const override { return {{8, 3, 1}}; }
  std::vector<at::Tensor> take_auxiliary_maps() override { return std::exchange(maps_, {}); }
  at::Tensor forward(const std::vector<at::Tensor>& features) override {
    at::Tensor out = TinyDecoder::forward(features);
    if (is_training()) maps_ = {out * 0.5};
    return out;
  }

 private:
  std::vector<at::Tensor> maps_;
};

struct BrittleParams {
  std::int64_t good_calls = 0;
  bool wrong_shape = false;
  bool throws = false;
  bool throws_in_backward = false;
  bool crashes = false;
  bool hungry = false;
  static void describe(nephron::Schema<BrittleParams>& s) {
    s.field("good_calls", &BrittleParams::good_calls, "calls before the loss is NaN");
    s.field("wrong_shape", &BrittleParams::wrong_shape, "return a scalar");
    s.field("throws", &BrittleParams::throws, "throw in place of a loss that is NaN");
    s.field("throws_in_backward", &BrittleParams::throws_in_backward, "throw when the gradient is asked for");
    s.field("crashes", &BrittleParams::crashes, "write to memory that is not there");
    s.field("hungry", &BrittleParams::hungry, "ask for more memory than there is");
  }
};

class BrittleLoss final : public nephron::Loss {
 public:
  BrittleLoss(const BrittleParams& params, nephron::Context& context) : params_(params), context_(context) {}
  at::Tensor forward(const at::Tensor& logits, const at::Tensor& target) const override {
    const at::Tensor bce =
        at::binary_cross_entropy_with_logits(logits, target, {}, {}, at::Reduction::None).mean({2, 3});
    if (params_.wrong_shape) return bce.mean();
    const std::int64_t before = calls_++;
    context_.metric("calls", static_cast<double>(before + 1));
    context_.metric("calls", static_cast<double>(before + 3));
    if (before < params_.good_calls) return bce;
    if (params_.hungry) return at::empty({std::int64_t{1} << 50});
    if (params_.crashes) *static_cast<volatile int*>(nullptr) = 1;
    if (params_.throws_in_backward) {
      const at::Tensor inner = bce * 2;
      inner.register_hook([](const at::Tensor&) { throw nephron::Error("the gradient of the fixture fails"); });
      return inner / 2;
    }
    if (params_.throws) throw nephron::Error("the forward of the fixture fails", "there is nothing to do about it");
    return bce * std::numeric_limits<double>::quiet_NaN();
  }

 private:
  BrittleParams params_;
  nephron::Context& context_;
  mutable std::atomic<std::int64_t> calls_{0};
};

struct WholeBatchParams {
  bool most = false;
  static void describe(nephron::Schema<WholeBatchParams>& s) {
    s.field("most", &WholeBatchParams::most, "the largest value of the samples, not their mean");
  }
};

/// One value for the whole batch: the mean of its logits, or the largest mean of a sample.
class WholeBatchLoss final : public nephron::Loss {
 public:
  explicit WholeBatchLoss(const WholeBatchParams& params) : params_(params) {}
  at::Tensor forward(const at::Tensor& logits, const at::Tensor&) const override {
    const at::Tensor samples = logits.mean({2, 3});
    return params_.most ? samples.amax(0, /*keepdim=*/true) : samples.mean(0, /*keepdim=*/true);
  }

 private:
  WholeBatchParams params_;
};

struct MovingParams {
  std::string by = "progress";
  static void describe(nephron::Schema<MovingParams>& s) {
    s.field("by", &MovingParams::by, "what the loss changes with").choices({"progress", "epoch", "calls"});
  }
};

/// Another factor at each step, in each epoch, or with each call.
class MovingLoss final : public nephron::InputLoss {
 public:
  explicit MovingLoss(const MovingParams& params) : params_(params) {}
  at::Tensor value(const nephron::LossInput& input) const override {
    const double by = params_.by == "progress" ? input.progress()
                      : params_.by == "epoch"  ? static_cast<double>(input.epoch())
                                               : static_cast<double>(calls_++);
    return nephron::pixel_mean((input.logits() - input.target()).square(), input) * (1 + by);
  }

 private:
  MovingParams params_;
  mutable std::atomic<std::int64_t> calls_{0};
};

class DetachedLoss final : public nephron::Loss {
 public:
  at::Tensor forward(const at::Tensor& logits, const at::Tensor&) const override {
    return logits.detach().mean({2, 3});
  }
};

struct BatchParams {
  bool drop = false;
  bool halve = false;
  bool mirror = false;
  static void describe(nephron::Schema<BatchParams>& s) {
    s.field("drop", &BatchParams::drop, "leave the last sample's targets out");
    s.field("halve", &BatchParams::halve, "make images of half precision");
    s.field("mirror", &BatchParams::mirror, "swap left and right, of images and targets");
  }
};

class WrongBatch final : public nephron::BatchAugmentation {
 public:
  explicit WrongBatch(const BatchParams& params) : params_(params) {}
  void apply(nephron::Batch& batch, nephron::Rng&) const override {
    const at::Tensor images = batch.images(), targets = batch.targets();
    if (params_.drop) batch.set_targets(targets.narrow(0, 0, targets.size(0) - 1));
    if (params_.halve) batch.set_images(images.to(at::kHalf));
    if (params_.mirror) batch.set_images(images.flip(3)), batch.set_targets(targets.flip(3));
  }

 private:
  BatchParams params_;
};

/// Draws nothing but an error.
class FailingDraw final : public nephron::Augmentation {
 public:
  void draw(const nephron::SampleInfo&, nephron::Rng&, nephron::Plan&) const override {
    throw nephron::Error("the augmentation of the fixture fails");
  }
};

/// Tells a number that its sample alone determines.
class Telling final : public nephron::Augmentation {
 public:
  explicit Telling(nephron::Context& context) : context_(context) {}
  void draw(const nephron::SampleInfo&, nephron::Rng& rng, nephron::Plan&) const override {
    context_.metric("u", rng.uniform());
  }

 private:
  nephron::Context& context_;
};

}  // namespace

NEPHRON_PLUGIN("tiny", "1.0.0")
NEPHRON_COMPONENT(nephron::Encoder, TinyEncoder, "test-tiny", "One convolution, for tests")
NEPHRON_COMPONENT(nephron::Decoder, TinyDecoder, "test-tiny", "One convolution, for tests")
NEPHRON_COMPONENT(nephron::Decoder, SupervisedDecoder, "test-supervised", "The same with an auxiliary map, for tests")
NEPHRON_COMPONENT(nephron::Loss, BrittleLoss, "test-brittle", "Breaks after some calls, for tests")
NEPHRON_COMPONENT(nephron::Loss, WholeBatchLoss, "test-whole-batch", "One value a batch, for tests")
NEPHRON_COMPONENT(nephron::Loss, MovingLoss, "test-moving", "Another factor each time, for tests")
NEPHRON_COMPONENT(nephron::Loss, DetachedLoss, "test-detached", "Without a gradient, for tests")
NEPHRON_COMPONENT(nephron::BatchAugmentation, WrongBatch, "test-wrong-batch", "Tensors of another form, for tests")
NEPHRON_COMPONENT(nephron::Augmentation, FailingDraw, "test-failing", "Fails, for tests")
NEPHRON_COMPONENT(nephron::Augmentation, Telling, "test-telling", "Tells a number a sample, for tests")
