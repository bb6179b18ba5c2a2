#include <nephron/nn/recompute.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/autocast_mode.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/relu.h>

#include <nephron/nn/blocks.hpp>

namespace nephron::nn {
namespace {

void seed(std::uint64_t key) {
  at::Generator generator = at::detail::getDefaultCPUGenerator();
  generator.set_current_seed(key);
}

/// Two convolutions beside a shortcut, with dropout.
class Part final : public torch::nn::Module {
 public:
  Part() {
    first_ = register_module("first", std::make_shared<ConvNormRelu>(6, 6, 3));
    second_ = register_module("second", std::make_shared<ConvNormRelu>(6, 6, 3));
  }
  at::Tensor forward(const at::Tensor& x) {
    ++runs;
    return at::dropout(second_->forward(first_->forward(x)), 0.3, is_training()) + x;
  }
  int runs = 0;

 private:
  std::shared_ptr<ConvNormRelu> first_, second_;
};

/// Three parts; what comes out of each is used beside the next one too, as a decoder does.
class Network final : public torch::nn::Module {
 public:
  Network() {
    seed(3);
    for (int i = 0; i < 3; ++i) parts.push_back(register_module("part" + std::to_string(i), std::make_shared<Part>()));
    for (const at::Tensor& p : parameters()) p.detach().copy_(at::randn(p.sizes()) * 0.2);
  }
  at::Tensor forward(at::Tensor x) {
    at::Tensor sum;
    for (const auto& part : parts) {
      x = recomputed(*part, {x}, [p = part.get()](const std::vector<at::Tensor>& in) { return p->forward(in[0]); });
      sum = sum.defined() ? sum + x * x : x * x;
    }
    return sum;
  }
  std::vector<std::shared_ptr<Part>> parts;
};

struct Found {
  at::Tensor output, image_gradient, next_draw;
  std::vector<at::Tensor> gradients, buffers;
  int runs = 0;
};

/// Two batches of gradients on top of each other. `frozen`: the first part.
Found run(bool twice, bool image_asks, bool frozen = false, bool bf16 = false) {
  Network network;
  if (frozen) {
    for (const at::Tensor& p : network.parts[0]->parameters()) p.set_requires_grad(false);
    network.parts[0]->eval();
  }
  Found out;
  seed(11);
  const at::Tensor image = at::rand({3, 6, 16, 16}).contiguous(at::MemoryFormat::ChannelsLast);
  image.set_requires_grad(image_asks);
  for (int batch = 0; batch < 2; ++batch) {
    {
      const Recompute scope(twice);
      at::autocast::set_autocast_enabled(at::kCPU, bf16);
      at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
      at::autocast::increment_nesting();
      out.output = network.forward(image);
      if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
      at::autocast::set_autocast_enabled(at::kCPU, false);
    }
    at::rand({5});  // others draw between the passes
    out.output.to(at::kFloat).sum().backward();
  }
  out.next_draw = at::rand({4});
  for (const at::Tensor& p : network.parameters()) out.gradients.push_back(p.grad());
  for (const at::Tensor& b : network.buffers()) out.buffers.push_back(b);
  if (image_asks) out.image_gradient = image.grad();
  for (const auto& part : network.parts) out.runs += part->runs;
  return out;
}

void expect_same(const Found& a, const Found& b) {
  EXPECT_TRUE(at::equal(a.output, b.output));
  EXPECT_TRUE(at::equal(a.next_draw, b.next_draw)) << "the generator stands where it would";
  ASSERT_EQ(a.gradients.size(), b.gradients.size());
  for (std::size_t i = 0; i < a.gradients.size(); ++i) {
    ASSERT_EQ(a.gradients[i].defined(), b.gradients[i].defined()) << i;
    if (a.gradients[i].defined()) {
      EXPECT_TRUE(at::equal(a.gradients[i], b.gradients[i])) << i;
    }
  }
  for (std::size_t i = 0; i < a.buffers.size(); ++i) EXPECT_TRUE(at::equal(a.buffers[i], b.buffers[i])) << i;
  if (a.image_gradient.defined()) {
    EXPECT_TRUE(at::equal(a.image_gradient, b.image_gradient));
  }
}

TEST(Recompute, GivesTheSameBits) {
  for (const bool image_asks : {false, true}) {
    const Found once = run(false, image_asks), twice = run(true, image_asks);
    EXPECT_EQ(once.runs, 6);
    EXPECT_EQ(twice.runs, 12);
    expect_same(once, twice);
  }
}

TEST(Recompute, WhatIsFrozenIsNotRunAgainForNothing) {
  const Found once = run(false, false, /*frozen=*/true), twice = run(true, false, true);
  EXPECT_EQ(twice.runs, once.runs + 4);
  expect_same(once, twice);
  expect_same(run(false, true, true), run(true, true, true));
}

TEST(Recompute, RunsAgainInThePrecisionOfTheFirstTime) {
  expect_same(run(false, false, false, /*bf16=*/true), run(true, false, false, true));
}

TEST(Recompute, WithoutGradientsItIsTheBlock) {
  Network network;
  const at::NoGradGuard no_grad;
  const Recompute scope(true);
  const std::size_t before = Recompute::blocks();
  network.forward(at::rand({2, 6, 8, 8}));
  EXPECT_EQ(Recompute::blocks(), before);
}

}  // namespace
}  // namespace nephron::nn
