#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ATen/Context.h>
#include <ATen/autocast_mode.h>
#include <ATen/ops/rand.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/decoder.hpp>

#include <host/plugins/host_context.hpp>
#include <host/plugins/registry.hpp>

// What the unit tests of decoders share: a decoder through its shared object, as the host loads it.

namespace nephron::host::testing {

class DecoderTest : public ::testing::Test {
 protected:
  DecoderTest() { at::manual_seed(1); }  // a few channels behind a ReLU may all be dead by chance

  std::shared_ptr<Decoder> make(const std::string& name, Value::Table params = {}) {
    contexts_.push_back(std::make_unique<HostContext>(name, "model.decoder"));
    return registry_.create<Decoder>(ComponentSpec{name, Value(std::move(params)), {}}, *contexts_.back());
  }

  /// Levels with few channels: the input, then each at half of the size until `coarsest` is reached.
  static std::vector<Level> levels(int depth, std::int64_t coarsest = 32) {
    std::vector<Level> out{{3, 1}};
    for (int i = 1; i <= depth; ++i) out.push_back({8 * i, std::min<std::int64_t>(std::int64_t{1} << i, coarsest)});
    return out;
  }

  static std::vector<at::Tensor> features(const std::vector<Level>& levels, std::int64_t n, std::int64_t height,
                                          std::int64_t width) {
    std::vector<at::Tensor> out;
    for (const Level& level : levels) {
      const std::int64_t s = level.stride;
      out.push_back(at::rand({n, level.channels, (height + s - 1) / s, (width + s - 1) / s}).requires_grad_());
    }
    return out;
  }

  /// Builds, runs and differentiates: the map is as head() says, and gradients reach exactly the levels `used`.
  static void expect_map(Decoder& decoder, const std::vector<Level>& levels, std::int64_t height, std::int64_t width,
                         const std::vector<std::size_t>& used) {
    decoder.build(levels);
    const std::vector<at::Tensor> maps = features(levels, 2, height, width);
    const at::Tensor out = decoder.forward(maps);
    const HeadSpec head = decoder.head();
    EXPECT_EQ(out.sizes(), (at::IntArrayRef{2, head.in_channels, height / head.upsampling, width / head.upsampling}));
    out.square().sum().backward();
    for (std::size_t i = 0; i < maps.size(); ++i) {
      const bool wanted = std::find(used.begin(), used.end(), i) != used.end();
      EXPECT_EQ(maps[i].grad().defined(), wanted) << "level " << i;
      if (wanted && maps[i].grad().defined()) {
        EXPECT_GT(maps[i].grad().abs().sum().item<float>(), 0) << "level " << i;
      }
    }
  }

  /// Under autocast to bf16, as a training may run, the map is about that of float32, and gradients reach every
  /// weight. bf16 keeps 8 bits, 1 / 256 a layer; ten to twenty layers and norms by few values make it a tenth.
  static void expect_bf16(Decoder& decoder, const std::vector<Level>& levels) {
    decoder.build(levels);
    const std::vector<at::Tensor> maps = features(levels, 2, 64, 64);
    const at::Tensor exact = decoder.forward(maps).detach();
    at::autocast::set_autocast_dtype(c10::kCPU, c10::kBFloat16);
    at::autocast::set_autocast_enabled(c10::kCPU, true);
    const at::Tensor map = decoder.forward(maps);
    at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(c10::kCPU, false);
    const at::Tensor difference = map.detach().to(c10::kFloat) - exact;
    EXPECT_LT((difference.square().mean() / exact.square().mean()).item<float>(), 0.1F * 0.1F);
    map.to(c10::kFloat).square().sum().backward();
    for (const auto& p : decoder.named_parameters()) EXPECT_TRUE(p.value().grad().defined()) << p.key();
  }

  /// What an Error says, its hint included.
  template <class Call>
  static std::string message(Call call) {
    try {
      call();
    } catch (const Error& e) {
      return std::string(e.what()) + " / " + e.hint();
    }
    return "no error";
  }

 private:
  Registry registry_{PluginSearch{{NEPHRON_PLUGIN_FILE}, {}}};
  std::vector<std::unique_ptr<HostContext>> contexts_;
};

}  // namespace nephron::host::testing
