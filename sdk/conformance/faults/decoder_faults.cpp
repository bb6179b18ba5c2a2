#include <utility>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/ones.h>
#include <nephron/decoder.hpp>

#include <conformance/bench.hpp>
#include <conformance/faults/faults.hpp>

namespace nephron::conformance {

namespace {

/// A convolution of the finest features.
class GoodDecoder : public Decoder {
 public:
  void build(const std::vector<Level>& levels) override {
    if (levels.size() < 2) throw Error("a level of features is needed besides the input");
    weight_ = register_parameter("weight", random_tensor({6, levels[1].channels, 3, 3}, 1));
    upsampling_ = static_cast<int>(levels[1].stride);
  }
  HeadSpec head() const override { return {6, 3, upsampling_}; }
  at::Tensor forward(const std::vector<at::Tensor>& features) override {
    return at::conv2d(features.at(1), weight_, {}, 1, 1).tanh();
  }

 private:
  at::Tensor weight_;
  int upsampling_ = 2;
};

class TakesStrideTwoForGranted final : public GoodDecoder {
 public:
  HeadSpec head() const override { return {6, 3, 2}; }
};

class TurnsWidePictures final : public GoodDecoder {
 public:
  at::Tensor forward(const std::vector<at::Tensor>& features) override {
    return GoodDecoder::forward(features).transpose(2, 3);
  }
};

class UnusedParameter final : public GoodDecoder {
 public:
  void build(const std::vector<Level>& levels) override {
    GoodDecoder::build(levels);
    register_parameter("attention", at::ones({4}));
  }
};

class CutOffFromTheEncoder final : public GoodDecoder {
 public:
  at::Tensor forward(const std::vector<at::Tensor>& features) override {
    std::vector<at::Tensor> cut;
    for (const at::Tensor& f : features) cut.push_back(f.detach());
    return GoodDecoder::forward(cut);
  }
};

/// Trains the rest of the encoder, not the level below.
class DetachesALevel final : public GoodDecoder {
 public:
  at::Tensor forward(const std::vector<at::Tensor>& features) override {
    return GoodDecoder::forward(features) + features.at(2).detach().mean(at::IntArrayRef{1, 2, 3}, /*keepdim=*/true);
  }
};

class RollsItsMap final : public GoodDecoder {
 public:
  at::Tensor forward(const std::vector<at::Tensor>& features) override {
    return GoodDecoder::forward(features).roll({3, 3}, {2, 3});
  }
};

class MirrorsItsMap final : public GoodDecoder {
 public:
  at::Tensor forward(const std::vector<at::Tensor>& features) override {
    return GoodDecoder::forward(features).flip({3});
  }
};

class SeedsTheGenerator final : public GoodDecoder {
 public:
  void build(const std::vector<Level>& levels) override {
    GoodDecoder::build(levels);
    at::Generator generator = at::detail::getDefaultCPUGenerator();
    generator.set_current_seed(1);
  }
};

class MakesABufferLate final : public GoodDecoder {
 public:
  at::Tensor forward(const std::vector<at::Tensor>& features) override {
    if (!made_) register_buffer("scale", at::ones({1}));
    made_ = true;
    return GoodDecoder::forward(features);
  }

 private:
  bool made_ = false;
};

class SecondInstanceDiffers final : public GoodDecoder {
 public:
  at::Tensor forward(const std::vector<at::Tensor>& features) override {
    const at::Tensor out = GoodDecoder::forward(features);
    return second_ ? out * 2 : out;
  }

 private:
  static inline std::atomic<int> instances = 0;
  EverySecond second_{instances};
};

class RectifiesItsInput final : public GoodDecoder {
 public:
  at::Tensor forward(const std::vector<at::Tensor>& features) override {
    at::Tensor finest = features.at(1);
    return GoodDecoder::forward({features.at(0), finest.clamp_min_(-0.1)});
  }
};

class NormalisesByTheBatch final : public GoodDecoder {
 public:
  at::Tensor forward(const std::vector<at::Tensor>& features) override {
    const at::Tensor out = GoodDecoder::forward(features);
    return out - out.mean(at::IntArrayRef{0, 2, 3}, /*keepdim=*/true);
  }
};

class RegistersTwice final : public GoodDecoder {
 public:
  void build(const std::vector<Level>& levels) override {
    GoodDecoder::build(levels);
    register_parameter("again", named_parameters()["weight"]);
  }
};

class SaysNothing final : public GoodDecoder {
 public:
  void build(const std::vector<Level>& levels) override {
    if (levels.size() >= 2) GoodDecoder::build(levels);
  }
};

class NoReadableReason final : public GoodDecoder {
 public:
  void build(const std::vector<Level>& levels) override {
    static_cast<void>(levels.at(1));  // std::out_of_range
    GoodDecoder::build(levels);
  }
};

class OtherwiseOnTheDevice final : public GoodDecoder {
 public:
  explicit OtherwiseOnTheDevice(Context& context) : wrong_(context) {}
  at::Tensor forward(const std::vector<at::Tensor>& features) override {
    const at::Tensor out = GoodDecoder::forward(features);
    return wrong_() ? out * 2 : out;
  }

 private:
  WrongThere wrong_;
};

/// Its features at half of their size, for another head.
class Supervised : public GoodDecoder, public AuxiliaryMaps {
 public:
  std::vector<HeadSpec> auxiliary_heads() const override { return {{6, 3, 2}, {6, 1, 2}}; }
  std::vector<at::Tensor> take_auxiliary_maps() override { return std::exchange(maps_, {}); }
  at::Tensor forward(const std::vector<at::Tensor>& features) override {
    at::Tensor out = GoodDecoder::forward(features);
    maps_.clear();
    if (is_training()) maps_ = {out * 2, out * 3};
    return out;
  }

 protected:
  std::vector<at::Tensor> maps_;
};

class SupervisesPredictions final : public Supervised {
 public:
  at::Tensor forward(const std::vector<at::Tensor>& features) override {
    at::Tensor out = Supervised::forward(features);
    maps_ = {out * 2, out * 3};
    return out;
  }
};

class ForgetsAMap final : public Supervised {
 public:
  std::vector<at::Tensor> take_auxiliary_maps() override {
    std::vector<at::Tensor> out = Supervised::take_auxiliary_maps();
    if (!out.empty()) out.pop_back();
    return out;
  }
};

class CutsItsMapsOff final : public Supervised {
 public:
  at::Tensor forward(const std::vector<at::Tensor>& features) override {
    at::Tensor out = Supervised::forward(features);
    for (at::Tensor& map : maps_) map = map.detach();
    return out;
  }
};

class KeepsItsMaps final : public Supervised {
 public:
  std::vector<at::Tensor> take_auxiliary_maps() override { return is_training() ? maps_ : std::vector<at::Tensor>{}; }
};

class KeepsMapsInEval final : public Supervised {
 public:
  at::Tensor forward(const std::vector<at::Tensor>& features) override {
    const std::vector<at::Tensor> before = maps_;
    at::Tensor out = Supervised::forward(features);
    if (!is_training()) maps_ = before;
    return out;
  }
};

}  // namespace

Fixture decoder_fixture() {
  return {
      {subject_of<Decoder, GoodDecoder>("good"), subject_of<Decoder, Supervised>("supervised")},
      {
          {"shapes", "head() promised 6 channels", subject_of<Decoder, TurnsWidePictures>("turns_wide_pictures")},
          {"gradients", "no gradient reaches attention", subject_of<Decoder, UnusedParameter>("unused_parameter")},
          {"gradients", "the encoder would not be trained", subject_of<Decoder, CutOffFromTheEncoder>("cut_off")},
          {"gradients", "the map depends on level 2", subject_of<Decoder, DetachesALevel>("detaches_a_level")},
          {"first_weights", "it seeds LibTorch's generator", subject_of<Decoder, SeedsTheGenerator>("seeds_it")},
          {"places", "answers elsewhere than level 1 changes", subject_of<Decoder, RollsItsMap>("rolls_its_map")},
          {"places", "answers elsewhere than level 1 changes", subject_of<Decoder, MirrorsItsMap>("mirrors_its_map")},
          {"state", "forward adds, drops or reshapes", subject_of<Decoder, MakesABufferLate>("late_buffer")},
          {"state", "weight and again are one and the same", subject_of<Decoder, RegistersTwice>("registers_twice")},
          {"inputs", "forward changes level 1", subject_of<Decoder, RectifiesItsInput>("rectifies_its_input")},
          {"samples", "the map of a sample changes", subject_of<Decoder, NormalisesByTheBatch>("batch_statistics")},
          {"determinism", "two instances with equal weights",
           subject_of<Decoder, SecondInstanceDiffers>("second_differs")},
          {"auxiliary", "in eval mode", subject_of<Decoder, SupervisesPredictions>("supervises_predictions")},
          {"auxiliary", "and there are 1", subject_of<Decoder, ForgetsAMap>("forgets_a_map")},
          {"auxiliary", "trains nothing", subject_of<Decoder, CutsItsMapsOff>("cuts_its_maps_off")},
          {"auxiliary", "twice", subject_of<Decoder, KeepsItsMaps>("keeps_its_maps")},
          {"auxiliary", "in training mode before it", subject_of<Decoder, KeepsMapsInEval>("keeps_maps_in_eval")},
          {"missing_levels", "does not say what is missing", subject_of<Decoder, SaysNothing>("says_nothing")},
          {"missing_levels", "something other than an Error",
           subject_of<Decoder, NoReadableReason>("no_readable_reason")},
          {"skipped_stride", "and 2-fold upsampling to the image",
           subject_of<Decoder, TakesStrideTwoForGranted>("takes_stride_two_for_granted")},
          {"cuda", "the map on CUDA differs", subject_of<Decoder, OtherwiseOnTheDevice>("device_differs")},
      }};
}

}  // namespace nephron::conformance
