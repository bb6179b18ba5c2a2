// Ranks in threads of one process, in double precision: what is equal here differs by rounding alone elsewhere.
#include <host/train/whole_batch.hpp>

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ATen/ops/allclose.h>
#include <ATen/ops/einsum.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/sigmoid.h>

#include <nephron/nn/batch_norm.hpp>

#include <host/train/together.hpp>
#include <tests/support/rank_threads.hpp>

namespace nephron::host {
namespace {

constexpr std::int64_t samples = 7;

/// No sum over samples: Dice of the whole batch, and a mean by weights that differ.
at::Tensor loss_of(const at::Tensor& logits, const BatchTensors& batch) {
  const at::Tensor p = at::sigmoid(logits);
  const at::Tensor dice = 1 - 2 * (p * batch.targets).sum() / (p + batch.targets).sum();
  const at::Tensor each = (p - batch.targets).square().mean(at::IntArrayRef{2, 3});
  const at::Tensor pixels = batch.pixel_weights.defined() ? (logits * batch.pixel_weights).mean() : at::Tensor();
  const at::Tensor sum = dice + (each * batch.weights).sum() / batch.weights.sum();
  return pixels.defined() ? sum + pixels.square() : sum;
}

BatchTensors batch_of(bool pixel_weights) {
  const auto d = at::TensorOptions(at::kDouble);
  BatchTensors out;
  out.images = at::randn({samples, 3, 8, 8}, d).contiguous(at::MemoryFormat::ChannelsLast);
  out.targets = at::rand({samples, 2, 8, 8}, d);
  out.weights = out.known_weights = at::rand({samples, 2}, d);
  if (pixel_weights) out.pixel_weights = at::rand({samples, 2, 8, 8}, d);
  return out;
}

BatchTensors part_of(const BatchTensors& all, const BatchShare& share) {
  const auto cut = [&](const at::Tensor& t) { return t.narrow(0, share.first, share.count); };
  BatchTensors out{cut(all.images), cut(all.targets), cut(all.weights), cut(all.known_weights), {}};
  // Ignored pixels may lie with one rank alone.
  if (all.pixel_weights.defined() && share.first == 0) out.pixel_weights = cut(all.pixel_weights);
  return out;
}

TEST(WholeBatch, GradientsAreThoseOfOneProcess) {
  for (const bool pixel_weights : {false, true}) {
    BatchTensors all = batch_of(pixel_weights);
    if (pixel_weights) all.pixel_weights.narrow(0, 2, samples - 2).fill_(1);  // what the others have not
    const at::Tensor weight = at::randn({2, 3}, at::kDouble);
    const auto logits_of = [](const at::Tensor& images, const at::Tensor& w) {
      return at::einsum("nchw,kc->nkhw", {images, w});
    };
    const at::Tensor alone = weight.clone().set_requires_grad(true);
    const at::Tensor expected = loss_of(logits_of(all.images, alone), all);
    expected.backward();
    run_ranks(3, [&](const Ranks& ranks) {
      const WholeBatch whole(ranks, samples);
      BatchTensors own = part_of(all, whole.own());
      const BatchTensors batch = whole.tensors(own, /*images=*/true);
      EXPECT_TRUE(at::equal(batch.images, all.images));
      EXPECT_TRUE(batch.images.is_contiguous(at::MemoryFormat::ChannelsLast));
      EXPECT_TRUE(at::equal(whole.part(batch.images), own.images));
      EXPECT_TRUE(at::equal(batch.weights, all.weights));
      EXPECT_EQ(batch.pixel_weights.defined(), pixel_weights);
      const at::Tensor w = weight.clone().set_requires_grad(true);
      const at::Tensor loss = loss_of(whole.with_own(logits_of(own.images, w)), batch);
      loss.backward();
      ranks.sum({w.grad()});
      EXPECT_NEAR(loss.item<double>(), expected.item<double>(), 1e-12);
      EXPECT_TRUE(at::allclose(w.grad(), alone.grad(), 1e-10, 1e-12));
    });
  }
}

TEST(WholeBatch, NamesAreThoseOfAllRanks) {
  run_ranks(2, [&](const Ranks& ranks) {
    const WholeBatch whole(ranks, samples);
    RawBatch own;
    for (std::int64_t i = whole.own().first; i < whole.own().first + whole.own().count; ++i) {
      own.ids.push_back("slide " + std::string(i == 2 ? 300 : 1, 'x') + " " + std::to_string(i));
      own.windows.push_back({4, 10 * i});
    }
    const SampleNames names = whole.names(own);
    ASSERT_EQ(names.ids.size(), static_cast<std::size_t>(samples));
    EXPECT_EQ(names.ids[6], "slide x 6");
    EXPECT_EQ(names.ids[2].size(), 160U) << "the beginning of a long one";
    for (std::size_t i = 0; i < names.windows.size(); ++i)
      EXPECT_EQ(names.windows[i], (SampleNumber{4, 10 * static_cast<std::int64_t>(i)}));
  });
}

TEST(SharedStatistics, NormaliseAsOneProcess) {
  const BatchTensors all = batch_of(false);
  const at::Tensor asks = at::randn({samples, 3, 8, 8}, at::kDouble);
  struct Norms final : torch::nn::Module {
    Norms() {
      norm = register_module("norm", std::make_shared<nn::BatchNorm2d>(3));
      for (const at::Tensor& p : parameters()) p.detach().copy_(at::ones({3}) * 0.7);
      to(at::kDouble);
    }
    std::shared_ptr<nn::BatchNorm2d> norm;
  };
  const auto pass = [&](Norms& norms, const at::Tensor& from, const at::Tensor& weights) {
    at::Tensor x = from.clone().set_requires_grad(true);
    const at::Tensor y = norms.norm->forward(x + 5);
    (y.square() * weights).sum().backward();
    return std::vector<at::Tensor>{y.detach(), x.grad()};
  };
  const auto first = std::make_shared<Norms>();
  Norms& alone = *first;
  const auto expected = pass(alone, all.images, asks);
  run_ranks(3, [&](const Ranks& ranks) {
    const BatchShare own = share_of(samples, ranks.rank(), ranks.count());
    const auto owner = std::make_shared<Norms>();
    Norms& norms = *owner;
    {
      const SharedStatistics shared(ranks, norms);
      const auto found = pass(norms, all.images.narrow(0, own.first, own.count), asks.narrow(0, own.first, own.count));
      for (std::size_t i = 0; i < found.size(); ++i)
        EXPECT_TRUE(at::allclose(found[i], expected[i].narrow(0, own.first, own.count), 1e-9, 1e-11)) << i;
    }
    std::vector<at::Tensor> gradients;
    for (const at::Tensor& p : norms.parameters()) gradients.push_back(p.grad());
    ranks.sum(gradients);
    for (std::size_t i = 0; i < gradients.size(); ++i)
      EXPECT_TRUE(at::allclose(gradients[i], alone.parameters()[i].grad(), 1e-9, 1e-11)) << i;
    for (std::size_t i = 0; i < norms.buffers().size(); ++i)
      EXPECT_TRUE(at::allclose(norms.buffers()[i].to(at::kDouble), alone.buffers()[i].to(at::kDouble), 1e-9, 1e-11));
    // Alone again, a rank has its own statistics.
    EXPECT_FALSE(at::allclose(norms.norm->forward(all.images.narrow(0, own.first, own.count) + 5),
                              expected[0].narrow(0, own.first, own.count)));
  });
}

}  // namespace
}  // namespace nephron::host
