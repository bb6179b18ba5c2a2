// ConvNeXts through their shared object, as the host loads them. Numbers against SMP: tests/parity/models.
#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/rand.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/encoder.hpp>

#include <host/plugins/host_context.hpp>
#include <host/plugins/registry.hpp>

namespace nephron::host {
namespace {

class ConvNeXtTest : public ::testing::Test {
 protected:
  ConvNeXtTest() { at::manual_seed(1); }

  std::shared_ptr<Encoder> make(const std::string& name, int depth = 5, Value::Table params = {},
                                std::int64_t channels = 3) {
    contexts_.push_back(std::make_unique<HostContext>(name, "model.encoder"));
    auto encoder = registry_.create<Encoder>(ComponentSpec{name, Value(std::move(params)), {}}, *contexts_.back());
    encoder->build({.in_channels = channels, .depth = depth});
    return encoder;
  }
  /// Branches begin at a millionth of their size; at 1 what they do shows.
  static void raise_branches(Encoder& encoder) {
    const at::NoGradGuard no_grad;
    for (auto& parameter : encoder.named_parameters())
      if (parameter.key().ends_with("gamma")) parameter.value().fill_(1);
  }
  static void expect_levels(Encoder& encoder, const at::Tensor& image) {
    const at::NoGradGuard no_grad;
    const auto features = encoder.forward(image);
    const auto levels = encoder.levels();
    ASSERT_EQ(features.size(), levels.size());
    for (std::size_t i = 0; i < levels.size(); ++i)
      EXPECT_EQ(features[i].sizes(),
                (at::IntArrayRef{image.size(0), levels[i].channels, image.size(2) / levels[i].stride,
                                 image.size(3) / levels[i].stride}))
          << "level " << i;
  }
  Registry registry_{PluginSearch{{NEPHRON_PLUGIN_FILE}, {}}};
  std::vector<std::unique_ptr<HostContext>> contexts_;
};

TEST_F(ConvNeXtTest, LevelsAreWhatForwardGivesAndStrideTwoIsSkipped) {
  for (const char* name : {"convnext_atto", "convnext_tiny"}) {
    auto encoder = make(name);
    std::vector<std::int64_t> strides;
    for (const Level& level : encoder->levels()) strides.push_back(level.stride);
    EXPECT_EQ(strides, (std::vector<std::int64_t>{1, 4, 8, 16, 32}));
    expect_levels(*encoder, at::rand({1, 3, 64, 96}));
  }
  expect_levels(*make("convnext_atto", 3, {}, 4), at::rand({1, 4, 32, 32}));
}

TEST_F(ConvNeXtTest, DilationKeepsWeightsAndLowersTheStride) {
  for (const char* name : {"convnext_atto", "convnext_tiny"})
    for (const int stride : {8, 16}) {
      auto encoder = make(name);
      const std::size_t tensors = encoder->parameters().size();
      encoder->set_output_stride(stride);
      EXPECT_EQ(encoder->levels().back().stride, stride);
      EXPECT_EQ(encoder->parameters().size(), tensors);
      expect_levels(*encoder, at::rand({1, 3, 64, 64}));
    }
  EXPECT_THROW(make("convnext_atto")->set_output_stride(4), Error);
}

TEST_F(ConvNeXtTest, ChannelsLastGivesTheSame) {
  const at::NoGradGuard no_grad;
  for (const char* name : {"convnext_atto", "convnext_tiny"}) {
    auto encoder = make(name);
    raise_branches(*encoder);
    const at::Tensor image = at::rand({2, 3, 64, 64});
    const at::Tensor a = encoder->forward(image).back();
    const at::Tensor b = encoder->forward(image.contiguous(at::MemoryFormat::ChannelsLast)).back();
    EXPECT_TRUE(at::allclose(a, b, 1e-4, 1e-5));
    EXPECT_TRUE(b.is_contiguous(at::MemoryFormat::ChannelsLast));
  }
}

TEST_F(ConvNeXtTest, PathsAreDroppedBySampleInTrainingAlone) {
  const at::NoGradGuard no_grad;
  auto encoder = make("convnext_atto", 5, {{"drop_path", Value(0.6), {}}});
  raise_branches(*encoder);
  const at::Tensor image = at::rand({1, 3, 64, 64}).expand({8, 3, 64, 64});
  const auto draw = [&](std::uint64_t seed) {
    at::manual_seed(seed);
    return encoder->forward(image).back();
  };
  const at::Tensor first = draw(1);
  EXPECT_TRUE(at::equal(first, draw(1)));
  EXPECT_FALSE(at::equal(first, draw(2)));
  EXPECT_FALSE(at::allclose(first[0], first[1])) << "two samples of one picture have dropped the same paths";
  encoder->eval();
  EXPECT_TRUE(at::equal(draw(1), draw(2)));
}

TEST_F(ConvNeXtTest, LearnsInAFewSteps) {
  auto encoder = make("convnext_atto", 3, {{"drop_path", Value(0.1), {}}});
  const at::Tensor image = at::rand({2, 3, 32, 32});
  double first = 0, last = 0;
  for (int step = 0; step < 10; ++step) {
    const at::Tensor loss = (encoder->forward(image).back() - 1).square().mean();
    last = loss.item<double>();
    if (step == 0) first = last;
    loss.backward();
    const at::NoGradGuard no_grad;
    for (at::Tensor& p : encoder->parameters()) {
      p.sub_(p.grad(), 0.2);
      p.mutable_grad().reset();
    }
  }
  EXPECT_LT(last, 0.5 * first);
}

TEST_F(ConvNeXtTest, RefusesOtherDepths) {
  EXPECT_THROW(make("convnext_atto", 6), Error);
  EXPECT_THROW(make("convnext_atto", 1), Error);
}

}  // namespace
}  // namespace nephron::host
