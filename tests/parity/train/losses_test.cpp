#include "peer.hpp"

#include <sstream>

#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>

#include <nephron/loss_input.hpp>

#include <host/train/objective.hpp>

namespace nephron::host {
namespace {

struct How {
  std::string logits = "logits";
  std::string weights = {};  ///< of pixels; "": all count alike
  double tolerance = 2e-6;
};

class Losses : public Peer {
 protected:
  void SetUp() override {
    Peer::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    PluginSearch search;
    std::istringstream files(NEPHRON_PLUGIN_FILES);
    for (std::string file; std::getline(files, file, ':');) search.command_line.emplace_back(file);
    registry_ = std::make_unique<Registry>(search);
    static const TensorMap once = run("losses.py");
    peer_ = once;
  }

  /// Largest difference, as a share of the largest value of the peer.
  double difference(const at::Tensor& ours, const std::string& name) const {
    const at::Tensor& theirs = peer_.at(name);
    return ((ours - theirs).abs().max() / theirs.abs().max().clamp_min(1e-30)).item<double>();
  }

  /// Value a class (mean over samples) and gradient of one loss, against the peer's.
  void compare(const std::string& name, const std::string& target, const ComponentSpec& spec, const How& how = {}) {
    SCOPED_TRACE(name + " on " + target + " targets");
    HostContext context(spec.type, "loss");
    const auto loss = std::dynamic_pointer_cast<InputLoss>(registry_->create<Loss>(spec, context));
    ASSERT_NE(loss, nullptr);
    at::Tensor x = peer_.at(how.logits).clone().set_requires_grad(true);
    LossInput input(x, peer_.at(target));
    if (!how.weights.empty()) input.set_pixel_weights(peer_.at(how.weights));
    input.provide(loss->needs());
    const at::Tensor values = loss->value(input).mean(0);
    (values * at::tensor({1.0F, 0.7F})).sum().backward();
    EXPECT_LT(difference(values.detach(), name + "." + target + ".values"), how.tolerance);
    EXPECT_LT(difference(x.grad(), name + "." + target + ".gradient"), how.tolerance);
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

TEST_F(Losses, IgnoredPixelsAreLeftOutAsThePeersLeaveThemOut) {
  const auto compare_ignoring = [&](const std::string& name, const ComponentSpec& of) {
    SCOPED_TRACE(name);
    LossConfig config;
    config.terms.push_back({of, 1});
    const Objective objective(config, 2, *registry_, 0);
    at::Tensor x = peer_.at("logits").clone().set_requires_grad(true);
    const at::Tensor value =
        objective(x, {.targets = peer_.at("hard"), .weights = at::ones({3, 2}), .pixel_weights = peer_.at("known")})
            .total;
    value.backward();
    EXPECT_LT(difference(value.detach(), "ignored." + name + ".values"), 5e-6);
    EXPECT_LT(difference(x.grad(), "ignored." + name + ".gradient"), 5e-6);
  };
  compare_ignoring("bce", spec("bce"));
  compare_ignoring("dice", spec("dice"));
  compare_ignoring("dice_log", spec("dice", {{"log", Value(true), {}}, {"smooth", Value(1.5), {}}}));
  compare_ignoring("focal", spec("focal"));
}

TEST_F(Losses, ExclusiveClassesEqualTorchsCrossEntropy) {
  const auto compare_exclusive = [&](const std::string& name, const ComponentSpec& of, const std::string& target,
                                     const at::Tensor& pixels = {}) {
    SCOPED_TRACE(name);
    LossConfig config;
    config.terms.push_back({of, 1});
    const Objective objective(config, 2, *registry_, 0, {}, /*exclusive=*/true);
    at::Tensor x = peer_.at("logits").clone().set_requires_grad(true);
    const at::Tensor value =
        objective(x, {.targets = peer_.at(target), .weights = at::ones({3, 2}), .pixel_weights = pixels}).total;
    value.backward();
    EXPECT_LT(difference(value.detach(), "exclusive." + name + ".values"), 5e-6);
    EXPECT_LT(difference(x.grad(), "exclusive." + name + ".gradient"), 1e-5);
  };
  compare_exclusive("hot", spec("ce"), "exclusive.hot");
  compare_exclusive("smooth", spec("ce", {{"smoothing", Value(0.1), {}}}), "exclusive.hot");
  compare_exclusive("shares", spec("ce"), "exclusive.shares");
  compare_exclusive("ignored", spec("ce"), "exclusive.hot", peer_.at("known"));
  compare_exclusive("dice", spec("dice"), "exclusive.hot");  // of the softmax
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

// The losses of more_losses.py.

/// The peer takes steps of the Jaccard loss as differences of quotients in float32, each off by up to 1.2e-7 where the
/// quotients are near 1; the largest step is one of a few hundred pixels: 4e-5 of it.
constexpr double of_float_steps = 4e-5;

TEST_F(Losses, OfRegionsEqualThePeers) {
  const auto with = [](Value::Table params, double smooth) {
    params.push_back({"smooth", Value(smooth), {}});
    return params;
  };
  for (const char* target : {"hard", "soft", "none"}) {
    compare("jaccard", target, spec("jaccard"));
    compare("jaccard_log", target, spec("jaccard", with({{"log", Value(true), {}}}, 2)));
    compare("tversky", target, spec("tversky"));
    if (std::string(target) != "none") compare("focal_tversky", target, spec("focal_tversky"));
    const Value::Table product{{"overlap", Value("product"), {}}, {"empty", Value("count"), {}}},
        squares{{"overlap", Value("squares"), {}}, {"empty", Value("count"), {}}};
    compare("dice_product", target, spec("dice", with(product, 0.5)));
    compare("dice_squares", target, spec("dice", with(squares, 0.5)));
    compare("jaccard_product", target, spec("jaccard", with(product, 0.5)));
    compare("mcc", target, spec("mcc"));
  }
}

TEST_F(Losses, LovaszEqualsThePeers) {
  const Value::Table elu{{"hinge", Value("elu"), {}}}, batch{{"per_sample", Value(false), {}}},
      reference{{"hinge", Value("elu"), {}}, {"symmetric", Value(true), {}}};
  for (const char* target : {"hard", "none"}) {
    compare("lovasz", target, spec("lovasz"), {.tolerance = of_float_steps});
    compare("lovasz_batch", target, spec("lovasz", batch), {.tolerance = of_float_steps});
  }
  for (const char* target : {"hard", "soft", "none"}) compare("lovasz_elu", target, spec("lovasz", reference));
  // A pixel of weight 3 is three pixels, one of weight 0 none.
  compare("times_lovasz", "soft", spec("lovasz"), {.weights = "times"});
  compare("times_lovasz_elu", "soft", spec("lovasz", elu), {.weights = "times"});
  compare("known_lovasz", "hard", spec("lovasz"), {.weights = "half_known", .tolerance = of_float_steps});
  compare("known_lovasz_batch", "hard", spec("lovasz", batch), {.weights = "half_known", .tolerance = of_float_steps});
}

TEST_F(Losses, HausdorffEqualsItsFormula) {
  compare("hausdorff", "blob_masks", spec("hausdorff"), {.logits = "blob_logits"});
  compare("hausdorff_one", "blob_masks", spec("hausdorff", {{"one_sided", Value(true), {}}, {"alpha", Value(1.0), {}}}),
          {.logits = "blob_logits"});
  compare("known_hausdorff", "blob_masks", spec("hausdorff"), {.logits = "blob_logits", .weights = "one_known"});
}

TEST_F(Losses, OfRegionsLeaveOutWhatThePeersIgnore) {
  for (const char* name : {"jaccard", "tversky", "mcc"})
    compare("known_" + std::string(name), "hard", spec(name), {.weights = "half_known"});
}

// To the last bit, through the host: whatever a network or an annotation says where nothing is known.
TEST_F(Losses, WhatIgnoredPixelsHoldChangesNothing) {
  const at::Tensor &known = peer_.at("half_known"), &logits = peer_.at("blob_logits"), &target = peer_.at("blob_masks");
  const at::Tensor others = at::where(known > 0, logits, -3 * logits + 50),
                   swapped = at::where(known > 0, target, 1 - target);
  const Value::Table batch{{"per_sample", Value(false), {}}}, elu{{"hinge", Value("elu"), {}}};
  for (const ComponentSpec& one :
       {spec("bce"), spec("boundary"), spec("dice"), spec("jaccard"), spec("tversky"), spec("focal_tversky"),
        spec("focal"), spec("hausdorff"), spec("lovasz"), spec("lovasz", batch), spec("lovasz", elu), spec("mcc")}) {
    SCOPED_TRACE(one.type);
    LossConfig config;
    config.terms.push_back({one, 1});
    const Objective objective(config, 2, *registry_, 0);
    const auto run_on = [&](const at::Tensor& values, const at::Tensor& truth) {
      const at::Tensor x = values.clone().set_requires_grad(true);
      const at::Tensor total =
          objective(x, {.targets = truth, .weights = at::ones({3, 2}), .pixel_weights = known}).total;
      total.backward();
      return std::pair(total.detach(), x.grad());
    };
    const auto [value, gradient] = run_on(logits, target);
    const auto [value_of_others, gradient_of_others] = run_on(others, swapped);
    EXPECT_TRUE(at::equal(value, value_of_others)) << value.item<double>() << " and " << value_of_others.item<double>();
    EXPECT_TRUE(at::equal(gradient, gradient_of_others));
    EXPECT_EQ((gradient * (known == 0)).abs().max().item<double>(), 0);
    EXPECT_GT(gradient.abs().max().item<double>(), 0);
  }
}

}  // namespace
}  // namespace nephron::host
