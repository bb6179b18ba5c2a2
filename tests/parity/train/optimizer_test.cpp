#include "peer.hpp"

#include <host/train/optimizer.hpp>

namespace nephron::host {
namespace {

class OptimizerParity : public Peer {};

TEST_F(OptimizerParity, FiveStepsEqualTorchs) {
  const TensorMap peer = run("optimizer.py");
  OptimizerConfig adam{.type = "adam", .lr = 1e-2, .weight_decay = 0.01};
  OptimizerConfig adamw{.type = "adamw", .lr = 1e-2, .weight_decay = 0.1, .betas = {0.8, 0.95}, .eps = 1e-6};
  OptimizerConfig sgd{.type = "sgd", .lr = 1e-2, .weight_decay = 0.01};
  for (const OptimizerConfig& config : {adam, adamw, sgd}) {
    for (const bool clip : {false, true}) {
      for (const bool channels_last : {false, true}) {
        SCOPED_TRACE(config.type + (clip ? ", clipped" : "") + (channels_last ? ", channels_last" : ""));
        Optimizer::Named parameters;
        for (const std::string name : {"conv", "bias", "idle"}) {
          at::Tensor p = peer.at("start." + name).clone();
          if (channels_last && p.dim() == 4) p = p.contiguous(at::MemoryFormat::ChannelsLast);
          parameters.emplace_back(name, p.set_requires_grad(true));
        }
        Optimizer optimizer(config, parameters);
        for (int i = 0; i < 5; ++i) {
          for (auto& [name, p] : parameters) {
            const auto g = peer.find("gradient" + std::to_string(i) + "." + name);
            if (g == peer.end()) continue;
            p.mutable_grad() = g->second.clone(p.dim() == 4 && channels_last ? at::MemoryFormat::ChannelsLast
                                                                             : at::MemoryFormat::Preserve);
          }
          if (clip) clip_gradients(optimizer.gradients(), 1.5);
          optimizer.step(config.lr / (1 + i));
          optimizer.zero_grad();
        }
        for (const auto& [name, p] : parameters) {
          const at::Tensor& want = peer.at(config.type + (clip ? ".1.5." : ".0.") + name);
          EXPECT_LT((p - want).abs().max().item<double>(), 2e-7) << name;
        }
      }
    }
  }
}

}  // namespace
}  // namespace nephron::host
