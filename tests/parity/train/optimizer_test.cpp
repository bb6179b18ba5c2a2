#include "peer.hpp"

#include <map>

#include <ATen/ops/allclose.h>
#include <ATen/ops/relu.h>
#include <torch/nn/module.h>

#include <nephron/nn/batch_norm.hpp>

#include <host/train/averaged_weights.hpp>
#include <host/train/optimizer.hpp>
#include <host/train/schedule.hpp>

namespace nephron::host {
namespace {

class OptimizerParity : public Peer {
 protected:
  void SetUp() override {
    Peer::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    static const TensorMap once = run("optimizer.py");
    peer_ = once;
  }

  /// Eight steps with the peer's gradients.
  NamedTensors trained(const TrainConfig& config, bool clip, bool channels_last) const {
    NamedTensors parameters;
    for (const std::string name : {"conv", "bias", "late", "idle"}) {
      at::Tensor p = peer_.at("start." + name).clone();
      if (channels_last && p.dim() == 4) p = p.contiguous(at::MemoryFormat::ChannelsLast);
      parameters.emplace_back(name, p.set_requires_grad(true));
    }
    Optimizer optimizer(config.optimizer, parameter_groups(config, parameters));
    for (int i = 0; i < 8; ++i) {
      for (auto& [name, p] : parameters) {
        const auto g = peer_.find("gradient" + std::to_string(i) + "." + name);
        if (g == peer_.end()) continue;
        p.mutable_grad() = g->second.clone(p.dim() == 4 && channels_last ? at::MemoryFormat::ChannelsLast
                                                                         : at::MemoryFormat::Preserve);
      }
      if (clip) clip_gradients(optimizer.gradients(), 1.5);
      optimizer.step(config.optimizer.lr / (1 + i));
      optimizer.zero_grad();
    }
    return parameters;
  }

  TensorMap peer_;
};

TEST_F(OptimizerParity, EightStepsEqualTorchs) {
  std::map<std::string, TrainConfig> cases;
  const auto add = [&](const char* name, const char* type, double weight_decay) -> OptimizerConfig& {
    OptimizerConfig& config = cases[name].optimizer;
    config.type = type;
    config.lr = 1e-2;
    config.weight_decay = weight_decay;
    return config;
  };
  add("adam", "adam", 0.01);
  add("sgd", "sgd", 0.01);
  add("plain_sgd", "sgd", 0).momentum = 0;
  add("nesterov", "sgd", 0.01).nesterov = true;
  add("radam", "radam", 0.01);
  add("lion", "lion", 0.1);
  for (OptimizerConfig* config : {&add("adamw", "adamw", 0.1), &add("radam_short", "radam", 0)})
    config->betas = std::array{0.8, 0.95}, config->eps = 1e-6;
  add("groups", "adamw", 0.1).decay_norms_and_biases = false;
  cases["groups"].groups.push_back({.match = "conv", .lr_factor = 0.1, .weight_decay = 0.3});
  // One unit in the last place of a weight of 2 is 2.4e-7. What torch computes in another order may differ by it; the
  // Lion of the peer adds decay and update before it subtracts them, so it rounds otherwise at every one of the steps.
  const std::map<std::string, double> most{{"radam", 5e-7}, {"radam_short", 5e-7}, {"lion", 8 * 2.4e-7}};
  for (const auto& [name, config] : cases) {
    for (const bool clip : {false, true}) {
      for (const bool channels_last : {false, true}) {
        SCOPED_TRACE(name + (clip ? ", clipped" : "") + (channels_last ? ", channels_last" : ""));
        for (const auto& [parameter, p] : trained(config, clip, channels_last)) {
          const at::Tensor& want = peer_.at(name + (clip ? ".1.5." : ".0.") + parameter);
          EXPECT_LT((p - want).abs().max().item<double>(), most.contains(name) ? most.at(name) : 2e-7) << parameter;
        }
      }
    }
  }
}

TEST_F(OptimizerParity, SchedulesEqualTorchs) {
  std::map<std::string, ScheduleConfig> cases;
  const auto add = [&](const char* name, const char* type, double warmup) -> ScheduleConfig& {
    ScheduleConfig& config = cases[name];
    config.type = type;
    config.warmup = warmup;
    return config;
  };
  for (const char* type : {"linear", "cosine", "poly", "constant"}) add(type, type, 0.2).start = 0.1;
  cases["linear"].end = cases["cosine"].end = 0.05;
  add("one_cycle", "one_cycle", 0.3);
  add("one_cycle_short", "one_cycle", 0.125);
  add("one_cycle_odd", "one_cycle", 0.33);
  for (const auto& [name, config] : cases) {
    const at::Tensor& want = peer_.at("schedule." + name);
    for (std::int64_t i = 0; i < want.size(0); ++i)
      EXPECT_NEAR(schedule_factor(config, i, 40), want[i].item<double>(), 1e-12) << name << ", step " << i;
  }
}

TEST_F(OptimizerParity, ThePlateauEqualsTorchs) {
  ScheduleConfig plateau;
  plateau.type = "plateau";
  plateau.end = 0.1;
  plateau.factor = 0.5;
  plateau.patience = 1;
  plateau.threshold = 0.01;
  ScheduleConfig cool = plateau;
  cool.patience = 0;
  cool.cooldown = 2;
  const at::Tensor& dice = peer_.at("dice");
  for (const auto& [name, config] : {std::pair("schedule.plateau", plateau), {"schedule.plateau_cool", cool}}) {
    Plateau state;
    int falls = 0;
    for (std::int64_t i = 0; i < dice.size(0); ++i) {
      EXPECT_DOUBLE_EQ(state.factor, peer_.at(name)[i].item<double>()) << name << ", validation " << i;
      falls += state.add(config, dice[i].item<double>());
    }
    EXPECT_EQ(falls, 4) << "from 1 to 0.1 by halves";
  }
}

struct Weights final : torch::nn::Module {
  Weights(const at::Tensor& weight, const at::Tensor& mean) {
    register_parameter("weight", weight.clone());
    register_buffer("running_mean", mean.clone());
  }
};

TEST_F(OptimizerParity, AveragesEqualTorchs) {
  for (const std::string type : {"ema", "swa"}) {
    Weights network(peer_.at("start.conv"), peer_.at("start.bias"));
    AveragedWeights average({.type = type, .decay = 0.9, .ramp = false}, network);
    for (int i = 0; i < 8; ++i) {
      const at::NoGradGuard no_grad;
      network.parameters()[0] += peer_.at("gradient" + std::to_string(i) + ".conv");
      network.buffers()[0] += peer_.at("gradient" + std::to_string(i) + ".bias");
      average.add(i);
    }
    EXPECT_LT((average.tensors().at("weight") - peer_.at(type + ".weight")).abs().max().item<double>(), 1e-6);
    if (type != "ema") continue;  // the plain mean has statistics made anew
    EXPECT_LT((average.tensors().at("running_mean") - peer_.at("ema.running_mean")).abs().max().item<double>(), 1e-6);
  }
}

struct Norms final : torch::nn::Module {
  Norms() {
    first = register_module("0", std::make_shared<nn::BatchNorm2d>(3));
    second = register_module("2", std::make_shared<nn::BatchNorm2d>(3, 1e-5, 0.01));
    fixed = register_module("fixed", std::make_shared<nn::BatchNorm2d>(3));
    fixed->eval();
  }
  void forward(const at::Tensor& x) { second->forward(at::relu(first->forward(fixed->forward(x)))); }
  std::shared_ptr<nn::BatchNorm2d> first, second, fixed;
};

TEST_F(OptimizerParity, StatisticsMadeAnewEqualTorchs) {
  const auto network = std::make_shared<Norms>();
  {
    const at::NoGradGuard no_grad;
    network->fixed->buffers()[1].fill_(1 - 1e-5);  // with its eps, this one leaves all as it is
    network->second->buffers()[1].fill_(1e4);      // whatever was there before must not matter
  }
  const TensorMap before = state_dict(*network);
  const at::Tensor kept = before.at("fixed.running_var").clone();
  remake_statistics(*network, [&](std::int64_t i) {
    if (i == 5) return false;
    network->forward(peer_.at("batch" + std::to_string(i)));
    return true;
  });
  const TensorMap after = state_dict(*network);
  for (const char* name : {"0.running_mean", "0.running_var", "2.running_mean", "2.running_var"})
    EXPECT_TRUE(at::allclose(after.at(name), peer_.at(std::string("statistics.") + name), 1e-5, 1e-6)) << name;
  EXPECT_TRUE(at::equal(after.at("fixed.running_var"), kept)) << "in evaluation mode it follows no batch";
  EXPECT_EQ(after.at("0.num_batches_tracked").item<int>(), 0) << "the batches were no training";
}

}  // namespace
}  // namespace nephron::host
