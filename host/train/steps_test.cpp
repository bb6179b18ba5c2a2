// What a training step is made of, without a model: batches, Dice, weights, optimiser, precision.
#include <cmath>
#include <cstdlib>
#include <stdexcept>

#include <ATen/Context.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/error.hpp>

#include <host/device/autocast.hpp>
#include <host/device/device.hpp>
#include <host/device/torch_state.hpp>
#include <host/train/batch_tensors.hpp>
#include <host/train/objective.hpp>
#include <host/train/optimizer.hpp>
#include <host/train/validation.hpp>

namespace nephron::host {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

RawBatch batch_of(std::int64_t n, std::int64_t side, int classes) {
  RawBatch out;
  out.count = n;
  out.side = side;
  out.classes = classes;
  for (std::int64_t i = 0; i < n * side * side * 3; ++i) out.images.push_back(static_cast<std::uint8_t>(i * 7));
  for (std::int64_t i = 0; i < n * side * side * classes; ++i) out.labels.push_back(i % 3 == 0 ? 255 : 0);
  for (std::int64_t i = 0; i < n * classes; ++i) out.weights.push_back(static_cast<float>(i));
  return out;
}

TEST(BatchTensors, PixelsLandWhereTheyBelong) {
  const RawBatch raw = batch_of(2, 3, 2);
  const Normalise normalise = Normalise::of({0.5, 0.25, 0.75}, {0.1, 0.2, 0.3});
  for (const bool channels_last : {true, false}) {
    const BatchTensors t = to_tensors(raw, normalise, c10::kCPU, channels_last);
    ASSERT_EQ(t.images.sizes(), (at::IntArrayRef{2, 3, 3, 3}));
    EXPECT_EQ(t.images.is_contiguous(channels_last ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous),
              true);
    const std::size_t pixel = ((1 * 3 + 2) * 3 + 1) * 3;  // sample 1, row 2, column 1
    EXPECT_NEAR(t.images[1][2][2][1].item<double>(), (raw.images[pixel + 2] / 255.0 - 0.75) / 0.3, 1e-6);
    EXPECT_EQ(t.targets[1][1][0][2].item<double>(), raw.labels[((1 * 2 + 1) * 3 + 0) * 3 + 2] / 255);
    EXPECT_EQ(t.weights[1][0].item<double>(), 2);
  }
}

TEST(BatchTensors, IgnoredPixelsCountNothing) {
  RawBatch raw = batch_of(2, 3, 2);
  raw.ignored.assign(2 * 3 * 3, 0);
  raw.ignoring.assign(2, 0);
  EXPECT_FALSE(to_tensors(raw, Normalise{}, c10::kCPU, true).pixel_weights.defined())
      << "a batch without such pixels is as ever";
  raw.ignored[9 + 4] = 1;  // sample 1, the middle
  raw.ignoring[1] = 1;
  const at::Tensor weights = to_tensors(raw, Normalise{}, c10::kCPU, true).pixel_weights;
  ASSERT_EQ(weights.sizes(), (at::IntArrayRef{2, 2, 3, 3}));
  EXPECT_EQ(weights.sum().item<double>(), 2 * 2 * 9 - 2);
  for (int c = 0; c < 2; ++c) EXPECT_EQ(weights[1][c][1][1].item<float>(), 0);
}

TEST(BatchTensors, OwnTheirMemoryAndCheckTheirSize) {
  RawBatch raw = batch_of(1, 4, 1);
  const BatchTensors t = to_tensors(raw, Normalise{}, c10::kCPU, true);
  const at::Tensor images = t.images.clone(), weights = t.weights.clone();
  std::fill(raw.images.begin(), raw.images.end(), std::uint8_t{9});
  std::fill(raw.weights.begin(), raw.weights.end(), 9.0F);
  EXPECT_TRUE(at::equal(t.images, images) && at::equal(t.weights, weights))
      << "a recycled batch would change the one in use";
  raw.labels.pop_back();
  EXPECT_THAT([&] { to_tensors(raw, Normalise{}, c10::kCPU, true); },
              ThrowsMessage<Error>(HasSubstr("16 were expected")));
}

TEST(Deterministic, SaysWhichOperationCannotBe) {
  const std::runtime_error torch(
      "upsample_bilinear2d_backward_out_cuda does not have a deterministic implementation, but you set "
      "'torch.use_deterministic_algorithms(True)'. You can turn off determinism just for this operation");
  EXPECT_THAT([&] { explain_determinism(torch); },
              ThrowsMessage<Error>("train.deterministic = true cannot be kept: the operation "
                                   "upsample_bilinear2d_backward_out_cuda has no deterministic form on this device"));
  const std::runtime_error guarded(
      "loss \"x\" of a plugin, in forward: foo_cuda does not have a deterministic implementation");
  EXPECT_THAT([&] { explain_determinism(guarded); }, ThrowsMessage<Error>(HasSubstr("the operation foo_cuda has")));
  EXPECT_NO_THROW(explain_determinism(std::runtime_error("out of memory")));
}

TEST(Deterministic, CublasGetsAWorkspaceThatAddsInOrder) {
  ::setenv("CUBLAS_WORKSPACE_CONFIG", ":0:0", 1);
  set_deterministic(true);
  EXPECT_STREQ(std::getenv("CUBLAS_WORKSPACE_CONFIG"), ":4096:8");
  EXPECT_TRUE(at::globalContext().deterministicAlgorithms());
  EXPECT_FALSE(at::globalContext().deterministicAlgorithmsWarnOnly()) << "a warning does not give the same bits";
  set_deterministic(false);
  EXPECT_FALSE(at::globalContext().deterministicAlgorithms());
}

TEST(OverlapCounts, CountTilesApart) {
  at::Tensor logits = at::full({2, 1, 2, 2}, -1.0), target = at::zeros({2, 1, 2, 2});
  logits[0][0][0][0] = 3;
  logits[0][0][0][1] = 1e-3;  // just over one half
  target[0][0][0][0] = 1;
  const at::Tensor counts = overlap_counts(logits, target);
  EXPECT_EQ(counts.sizes(), (std::vector<std::int64_t>{3, 2, 1}));
  const at::Tensor dice = dice_of(counts);
  EXPECT_NEAR(dice[0][0].item<double>(), 2.0 / 3, 1e-8);
  EXPECT_NEAR(dice[1][0].item<double>(), 1, 1e-12) << "both empty";
  EXPECT_NEAR(dice_of(counts.sum(1))[0].item<double>(), 2.0 / 3, 1e-8) << "an empty tile changes nothing of the whole";
}

TEST(TileTally, AClassOfWhichNothingIsKnownRaisesNoMean) {
  TileTally tally(false, 2, c10::kCPU);
  BatchTensors batch;
  batch.targets = at::zeros({1, 2, 2, 2});
  batch.targets[0][0][0][0] = 1;
  batch.weights = at::tensor({1.0F, 0.0F}).view({1, 2});
  at::Tensor logits = at::full({1, 2, 2, 2}, -1.0);
  logits[0][0][0][0] = 3, logits[0][0][0][1] = 3;
  tally.add(logits, batch, at::zeros({}));
  const Validation found = tally.result();
  EXPECT_NEAR(found.dice.at(0), 2.0 / 3, 1e-8);
  EXPECT_TRUE(std::isnan(found.dice.at(1)) && std::isnan(found.tile_dice.at(1)));
  EXPECT_NEAR(found.mean_dice(), 2.0 / 3, 1e-8);
}

TEST(OverlapCounts, LeaveOutPixelsOfNoWeight) {
  at::Tensor logits = at::full({1, 1, 2, 2}, -1.0), target = at::zeros({1, 1, 2, 2}),
             weights = at::full({1, 1, 2, 2}, 1.0);
  logits[0][0][0][0] = 3, target[0][0][0][0] = 1;
  logits[0][0][0][1] = 3, target[0][0][1][1] = 1;
  weights[0][0][0][1] = 0, weights[0][0][1][1] = 0;
  EXPECT_NEAR(dice_of(overlap_counts(logits, target)).item<double>(), 0.5, 1e-6);
  EXPECT_NEAR(dice_of(overlap_counts(logits, target, weights)).item<double>(), 1, 1e-12);
}

TEST(OverlapCounts, ExclusiveClassesAreTheLikeliest) {
  // Of two classes at two pixels: the second is the likelier one, then both are less likely than background.
  const at::Tensor logits = at::tensor({1.0F, -0.1F, 2.0F, -0.2F}).view({1, 2, 1, 2});
  const at::Tensor predicted = overlap_counts(logits, at::zeros_like(logits), {}, /*exclusive=*/true)[1];
  EXPECT_EQ(predicted[0][0].item<double>(), 0);
  EXPECT_EQ(predicted[0][1].item<double>(), 1);
  EXPECT_EQ(overlap_counts(logits, at::zeros_like(logits))[1].sum().item<double>(), 2);
}

TEST(WeightedMean, WeighsSamples) {
  const at::Tensor values = at::tensor({1.0F, 2.0F, 3.0F, 4.0F}).view({2, 2});
  const at::Tensor out = weighted_mean(values, at::tensor({1.0F, 1.0F, 1.0F, 0.0F}).view({2, 2}));
  EXPECT_EQ(out[0].item<float>(), 2);
  EXPECT_NEAR(out[1].item<float>(), 2 / (1 + 1e-6), 1e-7);
  EXPECT_EQ(weighted_mean(values, at::zeros({2, 2})).sum().item<float>(), 0) << "nothing counts, nothing is said";
}

TEST(Optimizer, GoesOnFromItsState) {
  for (const char* type : {"adam", "adamw", "sgd"}) {
    SCOPED_TRACE(type);
    OptimizerConfig config;
    config.type = type;
    const auto train = [&](Optimizer& optimizer, at::Tensor p, int from, int to) {
      for (int i = from; i < to; ++i) {
        p.mutable_grad() = at::full_like(p, std::sin(i)).contiguous(at::MemoryFormat::ChannelsLast);
        optimizer.step(0.01);
        optimizer.zero_grad();
      }
    };
    const at::Tensor start = at::randn({2, 3, 3, 3}).contiguous(at::MemoryFormat::ChannelsLast);
    at::Tensor whole = start.clone().set_requires_grad(true), part = start.clone().set_requires_grad(true);
    Optimizer one(config, {{"p", whole}});
    train(one, whole, 0, 6);
    Optimizer two(config, {{"p", part}});
    train(two, part, 0, 3);
    TensorMap saved;
    for (const auto& [name, t] : two.state())
      saved[name] = t.clone(at::MemoryFormat::Contiguous);  // as a file gives it
    Optimizer three(config, {{"p", part}});
    three.load(saved);
    train(three, part, 3, 6);
    EXPECT_TRUE(at::equal(whole, part));
    saved.erase(saved.begin());
    EXPECT_THAT([&] { three.load(saved); }, ThrowsMessage<Error>(HasSubstr("the training state lacks")));
  }
}

TEST(Optimizer, AnOverflowLeavesEverythingAsItWas) {
  at::Tensor p = at::ones({3}).set_requires_grad(true);
  Optimizer optimizer(OptimizerConfig{}, {{"p", p}});
  LossScaler scaler(c10::kCPU);
  p.mutable_grad() = at::tensor({65536.0F, 1.0F, INFINITY});
  at::Tensor found = scaler.unscale(optimizer.gradients());
  optimizer.step(0.1, found);
  scaler.update(found);
  EXPECT_TRUE(at::equal(p.detach(), at::ones({3})));
  EXPECT_EQ(optimizer.state().at("steps.p").item<float>(), 0) << "a step left out must not count";
  EXPECT_EQ(scaler.scale(at::ones({})).item<float>(), 32768) << "the scale halves";
  p.mutable_grad() = at::full({3}, 32768.0F);
  found = scaler.unscale(optimizer.gradients());
  EXPECT_EQ(p.grad()[0].item<float>(), 1);
  optimizer.step(0.1, found);
  EXPECT_NEAR(p[0].item<float>(), 0.9, 1e-5);
}

TEST(Clip, ScalesToTheLimitAndNoFurther) {
  std::vector<at::Tensor> g{at::full({4}, 3.0F), at::full({9}, 4.0F)};
  EXPECT_NEAR(clip_gradients(g, 1).item<float>(), std::sqrt(4 * 9 + 9 * 16.0), 1e-4);
  EXPECT_NEAR(std::sqrt((g[0].square().sum() + g[1].square().sum()).item<double>()), 1, 1e-5);
  const at::Tensor before = g[0].clone();
  clip_gradients(g, 100);
  EXPECT_TRUE(at::equal(g[0], before));
}

TEST(Autocast, EndsWithItsScope) {
  const at::Tensor a = at::ones({4, 4});
  {
    const Autocast on(c10::kCPU, autocast_type("bf16", c10::kCPU));
    EXPECT_EQ(at::matmul(a, a).scalar_type(), c10::kBFloat16);
  }
  EXPECT_EQ(at::matmul(a, a).scalar_type(), c10::kFloat);
  const Autocast off(c10::kCPU, autocast_type("fp32", c10::kCPU));
  EXPECT_EQ(at::matmul(a, a).scalar_type(), c10::kFloat);
  EXPECT_THAT([] { autocast_type("fp16", c10::kCPU); }, ThrowsMessage<Error>(HasSubstr("needs a CUDA device")));
  EXPECT_THAT([] { autocast_type("int8", c10::kCPU); }, ThrowsMessage<Error>(HasSubstr("expected \"fp32\"")));
}

TEST(Device, SaysWhatItWants) {
  EXPECT_TRUE(parse_device("cpu").is_cpu());
  for (const char* wrong : {"gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:1x", ""})
    EXPECT_THAT([&] { parse_device(wrong); }, ThrowsMessage<Error>(HasSubstr("unknown device"))) << wrong;
  if (cuda_available()) return;
  EXPECT_THAT([] { parse_device("cuda"); }, ThrowsMessage<Error>(HasSubstr("cannot be used")));
}

}  // namespace
}  // namespace nephron::host
