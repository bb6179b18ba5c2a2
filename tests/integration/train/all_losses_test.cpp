// What holds of every loss that comes with nephron, in each of its ways: what ignored pixels and samples of no weight
// are to it. A loss is among them when its folder lies in plugins/losses.
#include <sstream>

#include <ATen/Context.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <host/train/objective.hpp>

namespace nephron::host {
namespace {

PluginSearch of_files() {
  PluginSearch out;
  std::istringstream files(NEPHRON_LOSS_FILES);
  for (std::string file; std::getline(files, file, ':');) out.command_line.emplace_back(file);
  out.folders = false;
  return out;
}

class AllLosses : public testing::Test {
 protected:
  /// Classes that may exclude each other; a loss that says so knows nothing else.
  struct Case {
    ComponentSpec loss;
    bool exclusive = false;
    std::string str() const {
      return loss.type + " " + loss.params.str() + (exclusive ? " of classes that exclude each other" : "");
    }
  };

  /// Each loss by itself, with each of its switches turned and each of its choices taken.
  std::vector<Case> cases() const {
    std::vector<ComponentSpec> losses;
    for (const std::string& name : registry_.names(Loss::kind)) {
      losses.push_back({name, Value(Value::Table{}), {}});
      for (const FieldInfo& field : registry_.schema(Loss::kind, name).fields()) {
        std::vector<Value> others;
        if (field.type == "bool") others.emplace_back(!field.fallback.boolean());
        for (const std::string& choice : field.choices)
          if (!(Value(choice) == field.fallback)) others.emplace_back(choice);
        for (Value& other : others) {
          Value params{Value::Table{}};
          params.set(field.name, std::move(other));
          losses.push_back({name, params, {}});
        }
      }
    }
    std::vector<Case> out;
    for (const ComponentSpec& loss : losses)
      for (const bool exclusive : {false, true})
        if (exclusive || loss.type != "ce") out.push_back({loss, exclusive});
    return out;
  }

  struct Outcome {
    at::Tensor value, gradient, of_auxiliary;
  };
  /// At the end of a training, where no factor that rises is 0. The auxiliary map says the opposite.
  Outcome run(const Case& one, const at::Tensor& logits, const BatchTensors& batch) const {
    LossConfig config;
    config.terms.push_back({one.loss, 1});
    const Objective objective(config, 2, registry_, 0, {}, one.exclusive);
    const at::Tensor leaf = logits.clone().set_requires_grad(true),
                     more = (-0.5 * logits).clone().set_requires_grad(true);
    const at::Tensor value = objective(leaf, batch, {.progress = 1, .epoch = 3}, {more}).total;
    value.backward();
    return {value.detach(), leaf.grad(), more.grad()};
  }
  static void expect_same(const Outcome& a, const Outcome& b) {
    EXPECT_TRUE(at::equal(a.value, b.value)) << a.value.item<double>() << " and " << b.value.item<double>();
    EXPECT_TRUE(at::equal(a.gradient, b.gradient));
    EXPECT_TRUE(at::equal(a.of_auxiliary, b.of_auxiliary));
  }
  static double most(const at::Tensor& t) { return t.abs().max().item<double>(); }

  /// A blob of each class in each sample, side by side, and logits that are wrong in a part of it.
  void SetUp() override {
    at::manual_seed(11);
    target_ = at::zeros({3, 2, 12, 14});
    target_.select(1, 0).narrow(1, 2, 7).narrow(2, 1, 5).fill_(1);
    target_.select(1, 1).narrow(1, 3, 6).narrow(2, 8, 4).fill_(1);
    wrong_ = at::rand({3, 2, 12, 14}) < 0.25;
    const at::Tensor sure = 1 + at::rand({3, 2, 12, 14});
    logits_ = at::where(wrong_, (1 - 2 * target_) * sure, (2 * target_ - 1) * sure);
    ones_ = at::ones({3, 2});
  }

  Registry registry_{of_files()};
  at::Tensor target_, logits_, wrong_, ones_;
};

TEST_F(AllLosses, AreThere) {
  const std::vector<std::string> names = registry_.names(Loss::kind);
  for (const char* name :
       {"bce", "boundary", "ce", "dice", "focal", "focal_tversky", "hausdorff", "jaccard", "lovasz", "mcc", "tversky"})
    EXPECT_NE(std::find(names.begin(), names.end(), name), names.end()) << name;
}

TEST_F(AllLosses, WhatIgnoredPixelsHoldChangesNoBit) {
  at::Tensor known = at::ones({3, 2, 12, 14}), weights = ones_.clone();
  known.narrow(2, 3, 5).narrow(3, 4, 6).fill_(0);
  known[1].fill_(0);    // a tile that nobody has looked at
  weights[2][1] = 0.5;  // and a sample that counts less
  const at::Tensor other_logits = at::where(known > 0, logits_, 9 * at::randn({3, 2, 12, 14})),
                   other_target = at::where(known > 0, target_, 1 - target_);
  for (const Case& one : cases()) {
    SCOPED_TRACE(one.str());
    const Outcome found = run(one, logits_, {.targets = target_, .weights = weights, .pixel_weights = known});
    expect_same(found, run(one, other_logits, {.targets = other_target, .weights = weights, .pixel_weights = known}));
    EXPECT_EQ(most(found.gradient * (known == 0)), 0);
    EXPECT_GT(most(found.gradient), 0) << "and of the others something is learnt";
  }
}

TEST_F(AllLosses, SamplesOfNoWeightChangeNoBit) {
  at::Tensor weights = ones_.clone();
  weights[1].fill_(0);
  at::Tensor other_logits = logits_.clone(), other_target = target_.clone();
  other_logits[1] = 5 * at::randn({2, 12, 14});
  other_target[1] = 1 - target_[1];
  for (const Case& one : cases())
    for (const bool pixels : {false, true}) {
      SCOPED_TRACE(one.str() + (pixels ? ", with weights of pixels" : ""));
      const at::Tensor each = pixels ? at::ones_like(target_) : at::Tensor();
      const Outcome found = run(one, logits_, {.targets = target_, .weights = weights, .pixel_weights = each});
      expect_same(found, run(one, other_logits, {.targets = other_target, .weights = weights, .pixel_weights = each}));
      EXPECT_EQ(most(found.gradient[1]), 0);
      EXPECT_GT(most(found.gradient[0]), 0);
    }
}

TEST_F(AllLosses, WhereEverySampleAndPixelCountsOneNothingIsWeighed) {
  for (const Case& one : cases()) {
    SCOPED_TRACE(one.str());
    const Outcome plain = run(one, logits_, {.targets = target_, .weights = ones_}),
                  spread = run(one, logits_,
                               {.targets = target_, .weights = ones_, .pixel_weights = at::ones_like(target_)});
    EXPECT_NEAR(spread.value.item<double>(), plain.value.item<double>(),
                1e-5 * std::max(1.0, std::abs(plain.value.item<double>())));
    EXPECT_LT(most(spread.gradient - plain.gradient), 1e-5 * most(plain.gradient) + 1e-9);
  }
}

TEST_F(AllLosses, PixelsThatAreWrongRaiseItTheMoreTheyCount) {
  for (const Case& one : cases()) {
    SCOPED_TRACE(one.str());
    const auto value = [&](double of_wrong) {
      const at::Tensor pixels = at::where(wrong_, at::ones_like(target_) * of_wrong, at::ones_like(target_));
      return run(one, logits_, {.targets = target_, .weights = ones_, .pixel_weights = pixels}).value.item<double>();
    };
    const double half = value(0.5), plain = value(1), twice = value(2);
    EXPECT_LT(half, plain);
    EXPECT_LT(plain, twice);
  }
}

}  // namespace
}  // namespace nephron::host
