// lovasz through its shared object, as the host loads it.
#include <cmath>

#include <ATen/Context.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/round.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros_like.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/loss_input.hpp>

#include <host/plugins/host_context.hpp>
#include <host/plugins/registry.hpp>

namespace nephron::host {
namespace {

class LovaszTest : public testing::Test {
 protected:
  std::shared_ptr<InputLoss> make(Value::Table params = {}) {
    return std::dynamic_pointer_cast<InputLoss>(
        registry_.create<Loss>(ComponentSpec{"lovasz", Value(std::move(params)), {}}, context_));
  }
  Registry registry_{PluginSearch{{NEPHRON_PLUGIN_FILE}, {}}};
  HostContext context_{"lovasz", "loss.terms[0]"};
};

/// [N, 1, 1, 4] of doubles.
at::Tensor grid(std::initializer_list<double> values, std::int64_t n) {
  return at::tensor(std::vector<double>(values)).view({n, 1, 1, 4});
}

struct Found {
  at::Tensor value, gradient;
};

Found run(const InputLoss& loss, const at::Tensor& logits, const at::Tensor& target, const at::Tensor& weights) {
  const at::Tensor x = logits.clone().set_requires_grad(true);
  LossInput input(x, target);
  input.set_pixel_weights(weights);
  const at::Tensor value = loss.value(input);
  value.sum().backward();
  return {value.detach(), x.grad()};
}

TEST_F(LovaszTest, ValuesByHand) {
  // Errors 0.5 3 0 2 of targets 1 0 1 0. In order: background makes the union 3, then 4; then foreground is lost.
  const at::Tensor x = grid({0.5, 2, 1, 1}, 1), t = grid({1, 0, 1, 0}, 1);
  const double steps[] = {1 - 2.0 / 3, 2.0 / 3 - 2.0 / 4, 2.0 / 4 - 1.0 / 4, 1.0 / 4};
  EXPECT_NEAR(make()->forward(x, t).item<double>(), 3 * steps[0] + 2 * steps[1] + 0.5 * steps[2], 1e-12);
  EXPECT_NEAR(make({{"hinge", Value("elu"), {}}})->forward(x, t).item<double>(),
              4 * steps[0] + 3 * steps[1] + 1.5 * steps[2] + 1 * steps[3], 1e-12);
  // Background for foreground: the same errors, the other steps.
  const double swapped = 3 * (1.0 / 2) + 2 * (1.0 / 2) + 0;
  EXPECT_NEAR(make({{"symmetric", Value(true), {}}})->forward(x, t).item<double>(),
              (3 * steps[0] + 2 * steps[1] + 0.5 * steps[2] + swapped) / 2, 1e-12);
}

TEST_F(LovaszTest, WithoutForegroundTheLargestErrorCounts) {
  const at::Tensor x = grid({0.5, 2, -1, 1}, 1);
  EXPECT_NEAR(make()->forward(x, at::zeros_like(x)).item<double>(), 3, 1e-12);
  const Found found = run(*make(), x, at::zeros_like(x), grid({1, 0, 1, 1}, 1));
  EXPECT_NEAR(found.value.item<double>(), 2, 1e-12) << "the largest is not annotated";
  EXPECT_EQ(run(*make(), x, at::zeros_like(x), at::zeros_like(x)).value.item<double>(), 0) << "nothing is";
}

TEST_F(LovaszTest, ABatchIsOneLongImage) {
  const at::Tensor x = grid({0.5, 2, 1, 1, -1, 0, 2, 0.25}, 2), t = grid({1, 0, 1, 0, 0, 1, 0, 0}, 2);
  const at::Tensor out = make({{"per_sample", Value(false), {}}})->forward(x, t);
  ASSERT_EQ(out.sizes(), (at::IntArrayRef{1, 1}));
  EXPECT_NEAR(out.item<double>(), make()->forward(x.view({1, 1, 2, 4}), t.view({1, 1, 2, 4})).item<double>(), 1e-12);
}

// In single precision on the CPU pixels are ordered by our own sort, else by LibTorch's.
TEST_F(LovaszTest, BothWaysOfSortingAgree) {
  at::Generator(at::globalContext().defaultGenerator(c10::kCPU)).set_current_seed(5);
  const at::Tensor x = at::randn({3, 2, 40, 50}) * 3, soft = at::rand({3, 2, 40, 50});
  const at::Tensor weights = at::randint(0, 3, {3, 2, 40, 50}).to(at::kFloat);
  for (const char* hinge : {"relu", "elu"})
    for (const bool symmetric : {false, true})
      for (const bool per_sample : {false, true})
        for (const at::Tensor& target : {soft, at::round(soft)})
          for (const at::Tensor& count : {weights, at::Tensor()}) {
            const auto loss = make({{"hinge", Value(hinge), {}},
                                    {"symmetric", Value(symmetric), {}},
                                    {"per_sample", Value(per_sample), {}}});
            const Found ours = run(*loss, x, target, count);
            const Found theirs =
                run(*loss, x.to(at::kDouble), target.to(at::kDouble), count.defined() ? count.to(at::kDouble) : count);
            EXPECT_TRUE(at::allclose(ours.value.to(at::kDouble), theirs.value, 1e-5, 1e-6));
            // Errors that are equal in single precision alone stand the other way round: 2 of 12,000 pixels.
            EXPECT_TRUE(at::allclose(ours.gradient.to(at::kDouble), theirs.gradient, 1e-5, 1e-8));
          }
}

TEST_F(LovaszTest, ExtremeLogitsStayFinite) {
  at::Tensor x = grid({1e4, -1e4, 1e4, -1e4}, 1).to(at::kFloat);
  for (const char* hinge : {"relu", "elu"}) {
    const Found found = run(*make({{"hinge", Value(hinge), {}}}), x, grid({0, 1, 1, 0}, 1).to(at::kFloat), {});
    EXPECT_TRUE(at::isfinite(found.value).all().item<bool>());
    EXPECT_TRUE(at::isfinite(found.gradient).all().item<bool>());
  }
}

}  // namespace
}  // namespace nephron::host
