#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/ones.h>
#include <nephron/encoder.hpp>
#include <nephron/nn/batch_norm.hpp>
#include <nephron/nn/stored.hpp>

#include <conformance/bench.hpp>
#include <conformance/faults/faults.hpp>

namespace nephron::conformance {

namespace {

/// A convolution a level, of 4 channels more each.
class GoodEncoder : public Encoder {
 public:
  void build(const EncoderOptions& options) override {
    options_ = options;
    const std::vector<Level> all = GoodEncoder::levels();
    for (std::size_t i = 1; i < all.size(); ++i)
      weights_.push_back(register_parameter("level" + std::to_string(i),
                                            random_tensor({all[i].channels, all[i - 1].channels, 3, 3}, i)));
  }
  std::vector<Level> levels() const override {
    std::vector<Level> out{{options_.in_channels, 1}};
    for (int i = 1; i <= options_.depth; ++i)
      out.push_back({4 * i, std::min<std::int64_t>(std::int64_t{1} << i, coarsest_)});
    return out;
  }
  std::vector<at::Tensor> forward(const at::Tensor& image) override {
    const std::vector<Level> all = GoodEncoder::levels();
    std::vector<at::Tensor> out{image};
    for (std::size_t i = 1; i < all.size(); ++i)
      out.push_back(at::conv2d(out.back(), weights_[i - 1], {}, all[i].stride / all[i - 1].stride, 1).tanh());
    return out;
  }
  void set_output_stride(int stride) override { coarsest_ = stride; }

 private:
  EncoderOptions options_;
  std::int64_t coarsest_ = 1 << 8;
  std::vector<at::Tensor> weights_;
};

class RoundsUp final : public GoodEncoder {
 public:
  std::vector<at::Tensor> forward(const at::Tensor& image) override {
    std::vector<at::Tensor> out = GoodEncoder::forward(image);
    if (out.back().size(2) % 2 == 1) out.back() = at::cat({out.back(), out.back().narrow(2, 0, 1)}, 2);
    return out;
  }
};

/// A stem that reduces four times at once, as ConvNeXt's.
class SkipsAStride : public Encoder {
 public:
  void build(const EncoderOptions& options) override {
    if (options.depth < 2) throw Error("the first level has stride 4, which is depth 2");
    levels_ = {{options.in_channels, 1}};
    for (int i = 2; i <= options.depth; ++i) {
      const Level before = levels_.back();
      levels_.push_back({4 * i, std::int64_t{1} << i});
      weights_.push_back(register_parameter("level" + std::to_string(i),
                                            random_tensor({levels_.back().channels, before.channels, 3, 3}, i)));
    }
  }
  std::vector<Level> levels() const override { return levels_; }
  std::vector<at::Tensor> forward(const at::Tensor& image) override {
    std::vector<at::Tensor> out{image};
    for (std::size_t i = 1; i < levels_.size(); ++i)
      out.push_back(at::conv2d(out.back(), weights_[i - 1], {}, levels_[i].stride / levels_[i - 1].stride, 1).tanh());
    return out;
  }

 private:
  std::vector<Level> levels_;
  std::vector<at::Tensor> weights_;
};

/// Is a level short at other depths than 5.
class ForgetsALevel final : public SkipsAStride {
 public:
  void build(const EncoderOptions& options) override {
    SkipsAStride::build({options.in_channels, options.depth == 5 ? 5 : options.depth - 1});
  }
};

class AlwaysThreeChannels final : public GoodEncoder {
 public:
  std::vector<Level> levels() const override {
    std::vector<Level> out = GoodEncoder::levels();
    out.front().channels = 3;
    return out;
  }
};

class ForgetsTheStride final : public GoodEncoder {
 public:
  void set_output_stride(int) override {}
};

class MakesABufferLate final : public GoodEncoder {
 public:
  std::vector<at::Tensor> forward(const at::Tensor& image) override {
    if (!made_) register_buffer("scale", at::ones({1}));
    made_ = true;
    return GoodEncoder::forward(image);
  }

 private:
  bool made_ = false;
};

class SecondInstanceDiffers final : public GoodEncoder {
 public:
  std::vector<at::Tensor> forward(const at::Tensor& image) override {
    std::vector<at::Tensor> out = GoodEncoder::forward(image);
    if (second_) out.back() = out.back() * 2;
    return out;
  }

 private:
  static inline std::atomic<int> instances = 0;
  EverySecond second_{instances};
};

class UnusedParameter final : public GoodEncoder {
 public:
  void build(const EncoderOptions& options) override {
    GoodEncoder::build(options);
    register_parameter("classifier", at::ones({4}));
  }
};

/// As encoders of published weights do, whose classifier is never run.
class StoresAClassifier final : public GoodEncoder {
 public:
  void build(const EncoderOptions& options) override {
    GoodEncoder::build(options);
    nn::store_only(*register_module("classifier", std::make_shared<nn::BatchNorm2d>(4)));
  }
};

class UsesWhatItOnlyStores final : public GoodEncoder {
 public:
  void build(const EncoderOptions& options) override {
    GoodEncoder::build(options);
    nn::store_only(*this);
  }
};

/// Two names for one tensor.
class RegistersTwice final : public GoodEncoder {
 public:
  void build(const EncoderOptions& options) override {
    GoodEncoder::build(options);
    register_parameter("stem", named_parameters()["level1"]);
  }
};

class NormalisesByTheBatch final : public GoodEncoder {
 public:
  std::vector<at::Tensor> forward(const at::Tensor& image) override {
    std::vector<at::Tensor> out = GoodEncoder::forward(image);
    out.back() = out.back() - out.back().mean(at::IntArrayRef{0, 2, 3}, /*keepdim=*/true);
    return out;
  }
};

class MixesSamples final : public GoodEncoder {
 public:
  std::vector<at::Tensor> forward(const at::Tensor& image) override {
    std::vector<at::Tensor> out = GoodEncoder::forward(image);
    out.back() = out.back() + 0.1 * out.back().roll({1}, {0});
    return out;
  }
};

class ScalesTheImage final : public GoodEncoder {
 public:
  std::vector<at::Tensor> forward(const at::Tensor& image) override {
    at::Tensor scaled = image;
    scaled.mul_(2);
    std::vector<at::Tensor> out = GoodEncoder::forward(scaled);
    out.front() = scaled / 2;
    return out;
  }
};

class OtherwiseOnTheDevice final : public GoodEncoder {
 public:
  explicit OtherwiseOnTheDevice(Context& context) : wrong_(context) {}
  std::vector<at::Tensor> forward(const at::Tensor& image) override {
    std::vector<at::Tensor> out = GoodEncoder::forward(image);
    if (wrong_()) out.back() = out.back() * 2;
    return out;
  }

 private:
  WrongThere wrong_;
};

class SeedsTheGenerator final : public GoodEncoder {
 public:
  void build(const EncoderOptions& options) override {
    at::Generator generator = at::detail::getDefaultCPUGenerator();
    generator.set_current_seed(1);
    GoodEncoder::build(options);
  }
};

}  // namespace

Fixture encoder_fixture() {
  return {
      {subject_of<Encoder, GoodEncoder>("good"), subject_of<Encoder, StoresAClassifier>("stores_a_classifier"),
       subject_of<Encoder, SkipsAStride>("skips_a_stride")},
      {
          {"levels", "promised 20 channels at stride 32", subject_of<Encoder, RoundsUp>("rounds_up")},
          {"options", "the first level is not the input", subject_of<Encoder, AlwaysThreeChannels>("three_channels")},
          {"options", "less one for each stride that is skipped",
           subject_of<Encoder, ForgetsALevel>("forgets_a_level")},
          {"output_stride", "the coarsest level has stride 32",
           subject_of<Encoder, ForgetsTheStride>("forgets_the_stride")},
          {"state", "forward adds, drops or reshapes", subject_of<Encoder, MakesABufferLate>("late_buffer")},
          {"state", "level1 and stem are one and the same", subject_of<Encoder, RegistersTwice>("registers_twice")},
          {"first_weights", "it seeds LibTorch's generator", subject_of<Encoder, SeedsTheGenerator>("seeds_it")},
          {"inputs", "forward changes the image", subject_of<Encoder, ScalesTheImage>("scales_the_image")},
          {"samples", "in eval mode, level 5 of a sample changes",
           subject_of<Encoder, NormalisesByTheBatch>("batch_statistics")},
          {"samples", "in eval mode, level 5 of a sample changes", subject_of<Encoder, MixesSamples>("mixes_samples")},
          {"determinism", "two instances with equal weights",
           subject_of<Encoder, SecondInstanceDiffers>("second_differs")},
          {"gradients", "no gradient reaches classifier", subject_of<Encoder, UnusedParameter>("unused_parameter")},
          {"gradients", "wants no gradient, as what is only stored, but forward uses it",
           subject_of<Encoder, UsesWhatItOnlyStores>("uses_what_it_only_stores")},
          {"cuda", "level 5 on CUDA differs", subject_of<Encoder, OtherwiseOnTheDevice>("device_differs")},
      }};
}

}  // namespace nephron::conformance
