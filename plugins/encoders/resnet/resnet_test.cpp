// ResNets through their shared object, as the host loads them. Numbers against SMP: tests/parity/models.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/rand.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/encoder.hpp>

#include <host/plugins/host_context.hpp>
#include <host/plugins/registry.hpp>

namespace nephron::host {
namespace {

class ResnetTest : public ::testing::Test {
 protected:
  std::shared_ptr<Encoder> make(const std::string& name, int depth = 5, std::int64_t channels = 3) {
    contexts_.push_back(std::make_unique<HostContext>(name, "model.encoder"));
    auto encoder = registry_.create<Encoder>(ComponentSpec{name, Value(Value::Table{}), {}}, *contexts_.back());
    encoder->build({.in_channels = channels, .depth = depth});
    return encoder;
  }
  static void expect_levels(Encoder& encoder, const at::Tensor& image) {
    const at::NoGradGuard no_grad;
    const auto features = encoder.forward(image);
    const auto levels = encoder.levels();
    ASSERT_EQ(features.size(), levels.size());
    for (std::size_t i = 0; i < levels.size(); ++i)
      EXPECT_EQ(features[i].sizes(),
                (at::IntArrayRef{image.size(0), levels[i].channels, image.size(2) / levels[i].stride,
                                 image.size(3) / levels[i].stride}));
  }
  Registry registry_{PluginSearch{{NEPHRON_PLUGIN_FILE}, {}}};
  std::vector<std::unique_ptr<HostContext>> contexts_;
};

TEST_F(ResnetTest, LevelsAreWhatForwardGives) {
  for (const char* name : {"resnet18", "resnet50"}) {
    expect_levels(*make(name), at::rand({1, 3, 64, 96}));
    expect_levels(*make(name, 3, 4), at::rand({1, 4, 32, 32}));
  }
}

TEST_F(ResnetTest, DilationKeepsWeightsAndLowersTheStride) {
  for (const int stride : {8, 16}) {
    auto encoder = make("resnet50");
    const std::size_t tensors = encoder->parameters().size();
    encoder->set_output_stride(stride);
    EXPECT_EQ(encoder->levels().back().stride, stride);
    EXPECT_EQ(encoder->parameters().size(), tensors);
    expect_levels(*encoder, at::rand({1, 3, 64, 64}));
  }
  EXPECT_THROW(make("resnet18")->set_output_stride(4), Error);
}

TEST_F(ResnetTest, ChannelsLastGivesTheSame) {
  const at::NoGradGuard no_grad;
  auto encoder = make("resnet18");
  encoder->eval();
  const at::Tensor image = at::rand({2, 3, 64, 64});
  const at::Tensor a = encoder->forward(image).back();
  const at::Tensor b = encoder->forward(image.contiguous(at::MemoryFormat::ChannelsLast)).back();
  EXPECT_TRUE(at::allclose(a, b, 1e-4, 1e-5));
  EXPECT_TRUE(b.is_contiguous(at::MemoryFormat::ChannelsLast));
}

TEST_F(ResnetTest, RefusesOtherDepths) {
  EXPECT_THROW(make("resnet18", 6), Error);
  EXPECT_THROW(make("resnet18", 0), Error);
}

}  // namespace
}  // namespace nephron::host
