#include "peer.hpp"

#include <sstream>

#include <ATen/ops/ones.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

#include <nephron/loss_input.hpp>

#include <host/train/objective.hpp>

namespace nephron::host {
namespace {

class Losses : public Peer {
 protected:
  void SetUp() override {
    Peer::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    PluginSearch search;
    std::istringstream files(NEPHRON_PLUGIN_FILES);
    for (std::string file; std::getline(files, file, ':');) search.command_line.emplace_back(file);
    registry_ = std::make_unique<Registry>(search);
    peer_ = run("losses.py");
  }

  /// Largest difference, as a share of the largest value of the peer.
  double difference(const at::Tensor& ours, const std::string& name) const {
    const at::Tensor& theirs = peer_.at(name);
    return ((ours - theirs).abs().max() / theirs.abs().max().clamp_min(1e-30)).item<double>();
  }

  /// Value a class (mean over samples) and gradient of one loss, against the peer's.
  void compare(const std::string& name, const std::string& target, const ComponentSpec& spec) {
    SCOPED_TRACE(name + " on " + target + " targets");
    HostContext context(spec.type, "loss");
    const auto loss = registry_->create<Loss>(spec, context);
    at::Tensor x = peer_.at("logits").clone().set_requires_grad(true);
    const at::Tensor values = loss->forward(x, peer_.at(target)).mean(0);
    (values * at::tensor({1.0F, 0.7F})).sum().backward();
    EXPECT_LT(difference(values.detach(), name + "." + target + ".values"), 2e-6);
    EXPECT_LT(difference(x.grad(), name + "." + target + ".gradient"), 2e-6);
  }

  std::unique_ptr<Registry> registry_;
  TensorMap peer_;
};

ComponentSpec spec(const std::string& type, Value::Table params = {}) { return {type, Value(std::move(params)), {}}; }

TEST_F(Losses, EqualThePeers) {
  for (const char* target : {"hard", "soft"}) {
    compare("bce", target, spec("bce"));
    compare("bce_weighted", target, spec("bce", {{"pos_weight", Value(2.5), {}}}));
    compare("bce_smooth", target, spec("bce", {{"smoothing", Value(0.1), {}}}));
  }
  for (const char* target : {"hard", "soft", "none"}) {
    compare("dice", target, spec("dice"));
    compare("dice_log", target, spec("dice", {{"log", Value(true), {}}, {"smooth", Value(1.5), {}}}));
  }
  compare("focal", "hard", spec("focal"));
  compare("focal_gamma", "hard", spec("focal", {{"alpha", Value(0.6), {}}, {"gamma", Value(0.5), {}}}));
}

TEST_F(Losses, TheReferencesTwoClassesComeOutExactly) {
  LossConfig config;
  config.class_weights = {1, 0.2};
  config.terms.push_back({spec("bce"), 1});
  const Objective objective(config, 2, *registry_, 0);
  for (const std::string name : {"mixed", "soft", "ones", "zeros"}) {
    SCOPED_TRACE(name);
    const at::Tensor& weight = peer_.at("reference." + name + ".weight");
    at::Tensor x = peer_.at("logits").clone().set_requires_grad(true);
    const at::Tensor value =
        objective(x, {.targets = peer_.at("hard"), .weights = at::stack({at::ones({3}), weight}, 1)}).total;
    value.backward();
    EXPECT_LT(difference(value.detach(), "reference." + name + ".values"), 3e-7);
    EXPECT_LT(difference(x.grad(), "reference." + name + ".gradient"), 1e-6);
  }
}

TEST_F(Losses, DistancesAreScipysAndTheBoundaryLossItsFormula) {
  EXPECT_LT((signed_distance(peer_.at("blobs")) - peer_.at("distance")).abs().max().item<double>(), 1e-5);
  HostContext context("boundary", "loss");
  const auto loss = registry_->create<Loss>(spec("boundary", {{"start", Value(1.0), {}}}), context);
  at::Tensor x = peer_.at("boundary.logits").clone().set_requires_grad(true);
  const at::Tensor values = loss->forward(x, peer_.at("blobs"));
  values.sum().backward();
  EXPECT_LT(difference(values.detach(), "boundary.values"), 2e-6);
  EXPECT_LT(difference(x.grad(), "boundary.gradient"), 2e-6);
}

TEST_F(Losses, PixelsCountByTheirWeights) {
  LossConfig config;
  config.terms.push_back({spec("bce"), 1});
  const Objective objective(config, 2, *registry_, 0);
  at::Tensor x = peer_.at("logits").clone().set_requires_grad(true);
  const at::Tensor value =
      objective(x, {.targets = peer_.at("hard"), .weights = at::ones({3, 2}), .pixel_weights = peer_.at("pixels")})
          .total;
  value.backward();
  // Sums of samples are divided by sum + 1e-6, as the reference has it.
  EXPECT_LT(difference(value.detach(), "pixels.values"), 5e-6);
  EXPECT_LT(difference(x.grad(), "pixels.gradient"), 5e-6);
}

TEST_F(Losses, ABatchLossLeavesOutSamplesOfWeightZero) {
  LossConfig config;
  config.terms.push_back({spec("dice"), 2});
  const Objective objective(config, 2, *registry_, 0);
  at::Tensor weights = at::ones({3, 2});
  weights[1][1] = 0;
  const at::Tensor &x = peer_.at("logits"), &t = peer_.at("hard");
  HostContext context("dice", "loss");
  const auto dice = registry_->create<Loss>(spec("dice"), context);
  const at::Tensor rows = at::tensor({0L, 2L});
  const double first = dice->forward(x, t)[0][0].item<double>();
  const double second = dice->forward(x.index_select(0, rows), t.index_select(0, rows))[0][1].item<double>();
  EXPECT_NEAR(objective(x, {.targets = t, .weights = weights}).total.item<double>(), first + second,
              1e-6);  // 2 * (a + b) / 2
}

}  // namespace
}  // namespace nephron::host
