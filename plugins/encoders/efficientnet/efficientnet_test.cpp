// EfficientNets through their shared object, as the host loads them. Numbers against SMP: tests/parity/models.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/rand.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/encoder.hpp>

#include <host/plugins/host_context.hpp>
#include <host/plugins/registry.hpp>

namespace nephron::host {
namespace {

class EfficientNetTest : public ::testing::Test {
 protected:
  std::shared_ptr<Encoder> make(const std::string& name, Value::Table params = {}, int depth = 5) {
    contexts_.push_back(std::make_unique<HostContext>(name, "model.encoder"));
    auto encoder = registry_.create<Encoder>(ComponentSpec{name, Value(std::move(params)), {}}, *contexts_.back());
    encoder->build({.in_channels = 3, .depth = depth});
    return encoder;
  }
  static void copy(const Encoder& from, Encoder& to) {
    const at::NoGradGuard no_grad;
    auto target = to.named_parameters();
    for (const auto& item : from.named_parameters()) target[item.key()].copy_(item.value());
    auto buffers = to.named_buffers();
    for (const auto& item : from.named_buffers()) buffers[item.key()].copy_(item.value());
  }
  Registry registry_{PluginSearch{{NEPHRON_PLUGIN_FILE}, {}}};
  std::vector<std::unique_ptr<HostContext>> contexts_;
};

TEST_F(EfficientNetTest, LevelsAreWhatForwardGives) {
  const at::NoGradGuard no_grad;
  for (const char* name : {"efficientnet-b0", "efficientnet-b1", "efficientnet-lite0", "efficientnet-lite2"})
    for (const int stride : {32, 16, 8}) {
      auto encoder = make(name);
      if (stride < 32) encoder->set_output_stride(stride);
      encoder->eval();
      const auto features = encoder->forward(at::rand({1, 3, 64, 96}));
      const auto levels = encoder->levels();
      ASSERT_EQ(features.size(), 6U);
      EXPECT_EQ(levels.back().stride, stride);
      for (std::size_t i = 0; i < levels.size(); ++i)
        EXPECT_EQ(features[i].sizes(),
                  (at::IntArrayRef{1, levels[i].channels, 64 / levels[i].stride, 96 / levels[i].stride}))
            << name << " at stride " << stride << " level " << i;
    }
}

TEST_F(EfficientNetTest, PaddingOfTheTwoReleasesDiffers) {
  const at::NoGradGuard no_grad;
  const at::Tensor image = at::rand({1, 3, 64, 64});
  const auto same = [&](const char* name) {
    auto now = make(name, {{"compat", Value("smp-0.6.0"), {}}});
    auto then = make(name, {{"compat", Value("smp-2021"), {}}});
    copy(*now, *then);
    now->eval();
    then->eval();
    return at::equal(now->forward(image).back(), then->forward(image).back());
  };
  EXPECT_TRUE(same("efficientnet-b0"));   // all of its maps have even sides
  EXPECT_FALSE(same("efficientnet-b1"));  // its last strided convolution sees 15 pixels
  EXPECT_FALSE(same("efficientnet-b2"));
}

TEST_F(EfficientNetTest, DropConnectIsAFunctionOfSeedAndPass) {
  const at::NoGradGuard no_grad;
  const at::Tensor image = at::rand({4, 3, 64, 64});
  auto one = make("efficientnet-b0", {{"drop_connect", Value(0.8), {}}});
  auto two = make("efficientnet-b0", {{"drop_connect", Value(0.8), {}}});
  copy(*one, *two);
  const at::Tensor first = one->forward(image).back();
  EXPECT_TRUE(at::equal(first, two->forward(image).back()));
  const at::Tensor second = one->forward(image).back();
  EXPECT_FALSE(at::equal(first, second));
  // One that begins where another has stopped goes on as that one does.
  auto resumed = make("efficientnet-b0", {{"drop_connect", Value(0.8), {}}});
  copy(*one, *resumed);
  EXPECT_TRUE(at::equal(one->forward(image).back(), resumed->forward(image).back()));
  one->eval();
  EXPECT_TRUE(at::equal(one->forward(image).back(), one->forward(image).back()));
}

TEST_F(EfficientNetTest, RefusesOtherDepths) {
  EXPECT_THROW(make("efficientnet-b0", {}, 1), Error);
  EXPECT_THROW(make("efficientnet-b0", {}, 6), Error);
  EXPECT_THROW(make("efficientnet-lite0")->set_output_stride(4), Error);
}

}  // namespace
}  // namespace nephron::host
