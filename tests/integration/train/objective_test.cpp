// How a loss of the whole batch is weighed, by numbers.
#include <cmath>
#include <limits>

#include <ATen/Context.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <host/train/objective.hpp>

namespace nephron::host {
namespace {

using testing::HasSubstr;

class ObjectiveTest : public testing::Test {
 protected:
  ObjectiveTest() : registry_(search()) {}
  static PluginSearch search() {
    PluginSearch out;
    out.command_line = {NEPHRON_TINY};
    out.folders = false;
    return out;
  }
  LossValue value(bool most, const at::Tensor& weights) const {
    LossConfig config;
    Value params{Value::Table{}};
    params.set("most", most);
    config.terms.push_back({{"test-whole-batch", params, {}}, 1});
    return Objective(config, 1, registry_, 0)(logits_, {.targets = at::zeros_like(logits_), .weights = weights});
  }
  double total(bool most, std::vector<double> weights) const {
    return value(most, at::tensor(weights, at::kFloat).view({-1, 1})).total.item<double>();
  }

  Registry registry_;
  at::Tensor logits_ = at::tensor({1.0F, 2.0F, 4.0F, 8.0F}).view({4, 1, 1, 1});
};

TEST_F(ObjectiveTest, WeightsOfZeroAndOneChooseSamples) {
  EXPECT_DOUBLE_EQ(total(false, {1, 1, 1, 1}), 15.0 / 4);
  EXPECT_DOUBLE_EQ(total(false, {1, 0, 1, 0}), 2.5);
  EXPECT_DOUBLE_EQ(total(true, {1, 1, 1, 0}), 4);
  EXPECT_DOUBLE_EQ(total(true, {0, 0, 0, 0}), 0);
}

TEST_F(ObjectiveTest, AuxiliaryLogitsAddTheMeanOfTheirLosses) {
  LossConfig config;
  config.terms.push_back({{"test-whole-batch", Value(Value::Table{}), {}}, 3});
  config.auxiliary = 0.4;
  const BatchTensors batch{.targets = at::zeros_like(logits_), .weights = at::ones_like(logits_).view({4, 1})};
  const Objective objective(config, 1, registry_, 0);
  EXPECT_NEAR(objective(logits_, batch).total.item<double>(), 3 * 15.0 / 4, 1e-6);
  EXPECT_NEAR(objective(logits_, batch, {}, {logits_ * 2, logits_ * 4}).total.item<double>(),
              3 * 15.0 / 4 * (1 + 0.4 * (2 + 4) / 2), 1e-5);
  config.auxiliary = 0;
  const Objective without(config, 1, registry_, 0);
  EXPECT_NEAR(without(logits_, batch, {}, {logits_ * 2}).total.item<double>(), 3 * 15.0 / 4, 1e-6);
}

TEST_F(ObjectiveTest, TermsCountByEpoch) {
  LossConfig config;
  const ComponentSpec whole_batch{"test-whole-batch", Value(Value::Table{}), {}};
  config.terms.push_back({whole_batch, 3, LossSchedule{1, 0, 2}});
  config.terms.push_back({whole_batch, 5, LossSchedule{0, 2, 2}});
  const Objective objective(config, 1, registry_, 0);
  const BatchTensors batch{.targets = at::zeros_like(logits_), .weights = at::ones_like(logits_).view({4, 1})};
  const auto at_epoch = [&](std::int64_t epoch) { return objective(logits_, batch, {.progress = 0, .epoch = epoch}); };
  constexpr double one = 15.0 / 4;
  EXPECT_NEAR(at_epoch(0).total.item<double>(), 1 * one, 1e-6);
  EXPECT_NEAR(at_epoch(1).total.item<double>(), 2 * one, 1e-6);
  EXPECT_NEAR(at_epoch(2).total.item<double>(), (3 + 5) * one, 1e-5);
  ASSERT_EQ(at_epoch(1).parts.size(0), 3);
  EXPECT_EQ(at_epoch(1).parts[2].item<double>(), 0) << "a term without weight was asked";
  EXPECT_NEAR(at_epoch(2).parts[2].item<double>(), one, 1e-6);
  config.terms.erase(config.terms.begin());
  EXPECT_THROW(Objective(config, 1, registry_, 0)(logits_, batch), Error) << "nothing counts in the first epoch";
}

TEST_F(ObjectiveTest, ALossWithoutAGradientIsNamed) {
  LossConfig config;
  config.terms.push_back({{"test-detached", Value(Value::Table{}), {}}, 1});
  const BatchTensors batch{.targets = at::zeros_like(logits_), .weights = at::ones_like(logits_).view({4, 1})};
  const Objective alone(config, 1, registry_, 0);
  EXPECT_NO_THROW(alone(logits_, batch)) << "nothing is learnt in a validation";
  const at::Tensor learnt = logits_.clone().requires_grad_(true);
  try {
    alone(learnt, batch);
    FAIL() << "no gradient";
  } catch (const Error& e) {
    EXPECT_THAT(e.what(),
                testing::AllOf(HasSubstr("loss \"test-detached\" of plugin tiny "), HasSubstr("gradient")));
    EXPECT_THAT(e.hint(), HasSubstr("detach()"));
  }
  config.terms.push_back({{"test-whole-batch", Value(Value::Table{}), {}}, 1});
  EXPECT_NO_THROW(Objective(config, 1, registry_, 0)(learnt, batch)) << "another term has one";
}

TEST_F(ObjectiveTest, FractionsCountAsWhatTheyAre) {
  // Of a loss that is a mean over samples: the weighted mean.
  EXPECT_NEAR(total(false, {1, 0.5, 0.25, 0}), (1 + 0.5 * 2 + 0.25 * 4) / 1.75, 1e-6);
  EXPECT_NEAR(total(false, {0.5, 0.5, 0.5, 0.5}), 15.0 / 4, 1e-6) << "weights that are alike change nothing";
  // Of the largest: 4 for three samples at 0.25, 2 for two of them at another 0.25, 1 for one at another 0.5.
  EXPECT_NEAR(total(true, {1, 0.5, 0.25, 0}), (0.25 * 3 * 4 + 0.25 * 2 * 2 + 0.5 * 1 * 1) / 1.75, 1e-6);
}

TEST_F(ObjectiveTest, GradientsAreWeighedToo) {
  logits_ = logits_.set_requires_grad(true);
  value(false, at::tensor({1.0F, 0.5F, 0.25F, 0.0F}).view({4, 1})).total.backward();
  const at::Tensor gradient = logits_.grad().view({4});
  const std::vector<double> weights{1, 0.5, 0.25, 0};
  for (int i = 0; i < 4; ++i)
    EXPECT_NEAR(gradient[i].item<double>(), weights[static_cast<std::size_t>(i)] / 1.75, 1e-6);
}

// On a GPU reading the weights back would wait for all that it has still to do.
TEST_F(ObjectiveTest, ReadsTheWeightsThatAreKnownOnTheCpu) {
  LossConfig config;
  config.terms.push_back({{"test-whole-batch", Value(Value::Table{}), {}}, 1});
  const Objective objective(config, 1, registry_, 0);
  const at::Tensor device = at::tensor({1.0F, 1.0F, 1.0F, 1.0F}).view({4, 1}),
                   known = at::tensor({1.0F, 0.0F, 0.0F, 0.0F}).view({4, 1});
  const auto total = [&](const at::Tensor& weights, const at::Tensor& on_cpu) {
    return objective(logits_.detach(),
                     {.targets = at::zeros_like(logits_), .weights = weights, .known_weights = on_cpu})
        .total.item<double>();
  };
  EXPECT_EQ(total(device, known), total(known, {})) << "which of the two was read?";
  EXPECT_NE(total(device, known), total(device, {}));
}

// A loss that knows nothing of pixel weights must learn nothing from pixels that do not count.
TEST_F(ObjectiveTest, PixelsOfWeightZeroAreCertainBackgroundToAPlainLoss) {
  LossConfig config;
  config.terms.push_back({{"test-whole-batch", Value(Value::Table{}), {}}, 1});
  const Objective objective(config, 1, registry_, 0);
  at::Tensor logits = at::tensor({1.0F, 2.0F, 4.0F, 8.0F}).view({1, 1, 2, 2}).set_requires_grad(true);
  const at::Tensor pixels = at::tensor({1.0F, 0.0F, 1.0F, 1.0F}).view({1, 1, 2, 2});
  objective(logits,
            {.targets = at::zeros_like(logits), .weights = at::tensor({1.0F}).view({1, 1}), .pixel_weights = pixels})
      .total.backward();
  EXPECT_EQ(logits.grad().view(-1)[1].item<float>(), 0);
  EXPECT_GT(logits.grad().view(-1)[0].item<float>(), 0);
}

// Weights of samples say the same when they are spread over their pixels.
TEST_F(ObjectiveTest, SpreadWeightsAreTheWeights) {
  PluginSearch search;
  search.command_line = {NEPHRON_DICE, NEPHRON_BCE};
  search.folders = false;
  const Registry registry(search);
  const at::Tensor logits = at::tensor({1.0F, -2.0F, 0.5F, 3.0F, -1.0F, 2.0F, 0.0F, 1.0F}).view({2, 1, 2, 2}),
                   target = at::tensor({1.0F, 0.0F, 1.0F, 0.0F, 0.0F, 1.0F, 1.0F, 0.0F}).view({2, 1, 2, 2});
  for (const std::vector<float>& values : {std::vector<float>{1, 0}, std::vector<float>{0.5F, 0.5F}}) {
    const at::Tensor weights = at::tensor(values).view({2, 1});
    for (const char* name : {"dice", "bce"}) {
      LossConfig config;
      config.terms.push_back({{name, Value(Value::Table{}), {}}, 1});
      const Objective objective(config, 1, registry, 0);
      const double plain = objective(logits, {.targets = target, .weights = weights}).total.item<double>();
      const double spread =
          objective(logits, {.targets = target, .weights = weights, .pixel_weights = at::ones_like(target)})
              .total.item<double>();
      EXPECT_NEAR(plain, spread, 2e-6) << name << " with weights " << values[0] << ", " << values[1];
    }
  }
}

// Whatever the network or the target say of an ignored pixel, and whatever the loss: no value, no gradient.
TEST_F(ObjectiveTest, AnIgnoredPixelChangesNeitherValueNorGradient) {
  PluginSearch search;
  for (const char* file : {NEPHRON_DICE, NEPHRON_BCE, NEPHRON_FOCAL, NEPHRON_BOUNDARY, NEPHRON_CE, NEPHRON_TINY})
    search.command_line.emplace_back(file);
  search.folders = false;
  const Registry registry(search);
  at::manual_seed(5);
  const at::Tensor logits = at::randn({3, 2, 9, 8}) * 2, target = (at::rand({3, 2, 9, 8}) < 0.4).to(at::kFloat);
  at::Tensor weights = at::ones({3, 2}), pixels = at::ones({3, 2, 9, 8});
  weights[2][1] = 0.5;
  pixels.narrow(2, 2, 4).narrow(3, 1, 5).fill_(0);
  pixels[1].fill_(0);  // a tile that nobody looked at
  const at::Tensor other_logits = at::where(pixels > 0, logits, at::randn({3, 2, 9, 8}) * 9),
                   other_target = at::where(pixels > 0, target, 1 - target);
  const auto params = [](const char* key, Value value) {
    Value out{Value::Table{}};
    out.set(key, std::move(value));
    return out;
  };
  const std::vector<ComponentSpec> losses{{"bce", Value(Value::Table{}), {}},
                                          {"bce", params("smoothing", 0.1), {}},
                                          {"dice", Value(Value::Table{}), {}},
                                          {"dice", params("per_sample", true), {}},
                                          {"dice", params("log", true), {}},
                                          {"focal", Value(Value::Table{}), {}},
                                          {"boundary", Value(Value::Table{}), {}},
                                          {"ce", Value(Value::Table{}), {}},
                                          {"test-whole-batch", params("most", false), {}},
                                          {"test-whole-batch", params("most", true), {}}};
  for (const ComponentSpec& spec : losses)
    for (const bool exclusive : {false, true}) {
      SCOPED_TRACE(spec.type + " " + spec.params.str() + (exclusive ? " of exclusive classes" : ""));
      LossConfig config;
      config.terms.push_back({spec, 1});
      const Objective objective(config, 2, registry, 0, {}, exclusive);
      const auto run = [&](const at::Tensor& x, const at::Tensor& t) {
        const at::Tensor leaf = x.clone().set_requires_grad(true);
        const at::Tensor value = objective(leaf, {.targets = t, .weights = weights, .pixel_weights = pixels}).total;
        value.backward();
        return std::pair(value.detach(), leaf.grad());
      };
      const auto [value, gradient] = run(logits, target);
      const auto [other_value, other_gradient] = run(other_logits, other_target);
      EXPECT_TRUE(at::equal(value, other_value));
      EXPECT_TRUE(at::equal(gradient, other_gradient));
      EXPECT_EQ((gradient * (pixels == 0)).abs().max().item<double>(), 0);
      EXPECT_GT(gradient.abs().max().item<double>(), 0) << "and of the others something is learnt";
    }
}

TEST_F(ObjectiveTest, SamplesAreAsHardAsTheirCrossEntropyWhateverTheLossIs) {
  LossConfig config;
  config.terms.push_back({{"test-whole-batch", Value(Value::Table{}), {}}, 1});  // one value for the whole batch
  config.class_weights = {3, 1};
  const at::Tensor logits = at::randn({3, 2, 4, 4}), targets = at::rand({3, 2, 4, 4});
  const at::Tensor weights = at::tensor({1.0F, 1.0F, 0.5F, 0.0F, 0.0F, 0.0F}).view({3, 2});
  at::Tensor pixels = at::ones_like(logits);
  pixels.narrow(3, 0, 2).zero_();  // the left half is ignored
  const BatchTensors batch{.targets = targets, .weights = weights, .pixel_weights = pixels};
  const auto expected = [&](const at::Tensor& p) {
    const at::Tensor entropy = -(targets * p.log() + (1 - targets) * (1 - p).log());
    const at::Tensor of_classes = (entropy * pixels).mean({2, 3}) * weights;
    return of_classes.select(1, 0) * 0.75 + of_classes.select(1, 1) * 0.25;
  };
  const at::Tensor leaf = logits.clone().set_requires_grad(true);
  const at::Tensor plain = Objective(config, 2, registry_, 0).of_samples(leaf, batch);
  EXPECT_FALSE(plain.requires_grad());
  EXPECT_TRUE(plain.allclose(expected(logits.sigmoid()), 1e-4, 1e-5)) << plain;
  EXPECT_EQ(plain[2].item<float>(), 0) << "a sample that counts nothing is never hard";
  const at::Tensor exclusive = Objective(config, 2, registry_, 0, {}, /*exclusive=*/true).of_samples(logits, batch);
  const at::Tensor of_softmax = logits.exp() / (1 + logits.exp().sum(1, true));
  EXPECT_TRUE(exclusive.allclose(expected(of_softmax), 1e-4, 1e-5)) << exclusive;
}

TEST_F(ObjectiveTest, ALossThatIsNoNumberIsExplained) {
  LossConfig config;
  for (const bool most : {false, true}) {
    Value params{Value::Table{}};
    params.set("most", most);
    config.terms.push_back({{"test-whole-batch", params, {}}, 1});
  }
  const Objective objective(config, 2, registry_, 0);
  const auto why = [&](std::initializer_list<double> parts) {
    return objective.explain(at::tensor(std::vector<double>(parts)), {"a", "b"});
  };
  constexpr double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  EXPECT_THAT(why({0, 1, 1, 1, nan}), testing::AllOf(HasSubstr("is NaN for class \"b\""), Not(HasSubstr("\"a\""))));
  EXPECT_THAT(why({0, inf, 1, 1, 1}), HasSubstr("is infinite for class \"a\""));
  EXPECT_THAT(why({nan, nan, nan, nan, nan}), HasSubstr("the network's output is no number already"));
}

}  // namespace
}  // namespace nephron::host
