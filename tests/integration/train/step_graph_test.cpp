// Steps that are recorded and replayed, on a CPU: what is replayed gives the bits of what is computed.
#include <host/train/step_graph.hpp>

#include <memory>
#include <optional>
#include <string>

#include <ATen/ops/equal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/error.hpp>
#include <nephron/rng.hpp>

#include <host/cuda/recorder.hpp>
#include <host/device/torch_state.hpp>
#include <host/model/model.hpp>
#include <host/train/network.hpp>
#include <host/train/train_step.hpp>
#include <tests/support/error_of.hpp>
#include <tests/support/fake_recorder.hpp>

namespace nephron::host {
namespace {

using testing::AllOf;
using testing::HasSubstr;

ComponentSpec named(const std::string& type, Value params = Value(Value::Table{})) {
  return {type, std::move(params), {}};
}

Value params_of(const std::string& key, Value value) {
  Value out{Value::Table{}};
  out.set(key, std::move(value));
  return out;
}

/// What the batches of a training are like.
struct Batches {
  bool ignoring = false;  ///< every third has pixels that are ignored
  bool weighed = false;   ///< every third has samples that count otherwise
  int sizes = 1;          ///< different numbers of samples
};

RawBatch batch_of(const Batches& like, std::int64_t number, std::int64_t epoch) {
  constexpr std::int64_t side = 8;
  Rng rng(5, "batch", static_cast<std::uint64_t>(number));
  RawBatch out;
  out.first = 8 * number;
  out.count = 2 + number % like.sizes;
  out.side = side;
  out.classes = 2;
  const auto pixels = static_cast<std::size_t>(out.count * side * side);
  out.images.resize(pixels * 3);
  for (auto& v : out.images) v = static_cast<std::uint8_t>(rng.bits());
  out.labels.resize(pixels * 2);
  for (auto& v : out.labels) v = rng.chance(0.4) ? 255 : 0;
  out.weights.assign(static_cast<std::size_t>(out.count * 2), 1);
  if (like.weighed && number % 3 == 0) out.weights[0] = 0.25F;
  if (like.ignoring && number % 3 == 0) {
    out.ignored.assign(pixels, 0);
    out.ignored[7] = out.ignored[20] = 1;
    out.ignoring.assign(static_cast<std::size_t>(out.count), 0);
    out.ignoring[0] = 1;
  }
  for (std::int64_t i = 0; i < out.count; ++i) {
    out.ids.push_back(std::to_string(number) + "." + std::to_string(i));
    out.windows.push_back({static_cast<std::uint64_t>(epoch), out.first + i});
  }
  return out;
}

class StepGraphTest : public testing::Test {
 protected:
  StepGraphTest() : registry_(search()) {
    train_.epochs = 3;
    train_.steps_per_epoch = 6;
    train_.optimizer.lr = 0.01;
    loss_.terms.push_back({named("bce"), 1});
  }
  static PluginSearch search() {
    PluginSearch out;
    out.command_line = {NEPHRON_TINY, NEPHRON_BCE, NEPHRON_BOUNDARY};
    out.folders = false;
    return out;
  }

  struct Trained {
    TensorMap state;
    std::vector<double> losses;
    std::string text;
  };
  /// All epochs, recorded or as ever.
  Trained trained(const Batches& like, bool recorded) {
    ModelConfig model;
    model.encoder.component = named("test-tiny", params_of("norm", true));
    model.decoder = named(decoder_);
    const auto network = build_model(model, 2, registry_, 1);
    place_model(*network, c10::kCPU, train_.channels_last);
    TrainState state(network, train_, c10::kCPU);
    const Objective objective(loss_, 2, registry_, 1);
    recorder_ = std::make_unique<FakeRecorder>(*network);
    recorder_->fails = fails_;
    TrainStep step({.state = state, .objective = objective, .recorder = recorded ? recorder_.get() : nullptr}, train_,
                   DataConfig{}, c10::kCPU);
    Trained out;
    for (; state.progress.epoch < train_.epochs; ++state.progress.epoch) {
      state.enter_epoch();
      epoch(like, state, step, out.losses);
      state.note_epoch();
      if (state.average() != nullptr) validate(state);
    }
    for (const auto& [name, tensor] : state.all_tensors()) out.state.emplace(name, tensor.clone());
    out.text = step.graph_text();
    return out;
  }
  void epoch(const Batches& like, TrainState& state, TrainStep& step, std::vector<double>& losses) const {
    std::vector<at::Tensor> read_later;
    for (std::int64_t first = 0; first < train_.steps_per_epoch; first += train_.accumulate) {
      const std::int64_t batches = std::min<std::int64_t>(train_.accumulate, train_.steps_per_epoch - first);
      seed_torch(static_cast<std::uint64_t>(state.progress.step), c10::kCPU);
      for (std::int64_t i = 0; i < batches; ++i) {
        const std::int64_t number = first + i + state.progress.epoch * train_.steps_per_epoch;
        read_later.push_back(
            step.add(batch_of(like, number, state.progress.epoch),
                     {static_cast<std::uint64_t>(state.progress.epoch), static_cast<std::uint64_t>(number)},
                     1.0 / static_cast<double>(batches), i + 1 == batches)
                .total);
      }
      step.update(train_.optimizer.lr);
      ++state.progress.step;
    }
    for (const at::Tensor& loss : read_later) losses.push_back(loss.item<double>());
  }
  /// Averaged weights take the place of the others meanwhile, and nothing is trained.
  static void validate(TrainState& state) {
    const AveragedWeights::InUse averaged(*state.average());
    state.model().eval();
  }

  void expect_same(const Batches& like = {}) {
    const Trained expected = trained(like, false);
    const Trained replayed = trained(like, true);
    EXPECT_EQ(expected.text, "");
    EXPECT_EQ(replayed.losses, expected.losses);
    ASSERT_EQ(replayed.state.size(), expected.state.size());
    for (const auto& [name, tensor] : expected.state) EXPECT_TRUE(at::equal(replayed.state.at(name), tensor)) << name;
    text_ = replayed.text;
  }

  Registry registry_;
  TrainConfig train_;
  LossConfig loss_;
  std::string decoder_ = "test-tiny";
  std::unique_ptr<FakeRecorder> recorder_;
  std::function<void()> fails_;
  std::string text_;
};

TEST_F(StepGraphTest, WeightsAreThoseWithoutIt) {
  expect_same();
  EXPECT_EQ(recorder_->recorded, 1);
  EXPECT_EQ(recorder_->beside_others, StepGraph::warm_ups);
  EXPECT_EQ(recorder_->replayed, 18 - StepGraph::warm_ups + 1) << "the batch that is recorded is replayed too";
  EXPECT_EQ(text_, "16 of 18 batches were replayed from a CUDA graph, recorded 1 time");
}

TEST_F(StepGraphTest, BatchesAreAddedUpAndTheLastStepOfAnEpochHasFewer) {
  train_.accumulate = 4;
  train_.clip_norm = 0.1;
  expect_same();
  EXPECT_EQ(recorder_->recorded, 1) << "the share of a batch is a number that is handed in";
}

TEST_F(StepGraphTest, WhatIsFrozenIsRecordedAnew) {
  train_.freeze = {{.match = "encoder", .from = 0, .until = 1}};
  expect_same();
  EXPECT_EQ(recorder_->recorded, 2);
}

TEST_F(StepGraphTest, EachFormOfBatchesHasItsOwn) {
  expect_same({.ignoring = true});
  EXPECT_EQ(recorder_->recorded, 2);
  train_.steps_per_epoch = 12;
  expect_same({.sizes = static_cast<int>(StepGraph::most_forms) + 2});
  EXPECT_EQ(recorder_->recorded, static_cast<int>(StepGraph::most_forms));
  EXPECT_THAT(text_, HasSubstr("16 of 36 batches were replayed")) << "other forms are computed as ever";
}

TEST_F(StepGraphTest, AveragesDeepSupervisionHardExamplesAndLowerPrecision) {
  train_.average.type = "ema";
  train_.hard_examples.share = 0.25;
  train_.precision = "bf16";
  decoder_ = "test-supervised";
  expect_same();
  EXPECT_EQ(recorder_->recorded, 1) << "weights that gave way to their averages lie where they lay";
}

TEST_F(StepGraphTest, ALossOfAnotherWeightIsRecordedAnew) {
  loss_.terms.push_back({named("test-whole-batch"), 1, LossSchedule{.from = 0, .begin = 0, .end = 2}});
  expect_same();
  EXPECT_EQ(recorder_->recorded, 3);
}

TEST_F(StepGraphTest, ALossThatFollowsFromWeightsIsComputedAsEver) {
  loss_.terms.push_back({named("test-whole-batch", params_of("most", true)), 1});
  expect_same({.weighed = true});
  EXPECT_THAT(text_, HasSubstr("11 of 18 batches were replayed"));
  loss_.terms.pop_back();
  expect_same({.weighed = true});
  EXPECT_THAT(text_, HasSubstr("16 of 18 batches were replayed")) << "one value a sample is weighed on the device";
}

TEST_F(StepGraphTest, ALossMayChangeByEpochAndNotByStep) {
  loss_.terms = {{named("test-moving", params_of("by", "epoch")), 1}};
  expect_same();
  EXPECT_EQ(recorder_->recorded, 3);
  loss_.terms = {{named("test-moving"), 1}};
  EXPECT_THAT(error_of([&] { trained({}, true); }),
              AllOf(HasSubstr("train.cuda_graph: loss \"test-moving\""), HasSubstr("asks how far the training is")));
  EXPECT_EQ(recorder_->recorded, 0) << "told at the first step";
  loss_.terms = {{named("bce"), 1}, {named("boundary"), 1}};
  EXPECT_THAT(error_of([&] { trained({}, true); }), HasSubstr("loss \"boundary\""));
  loss_.terms.back().component = named("boundary", params_of("over", 0.0));
  expect_same();
}

TEST_F(StepGraphTest, WhatGivesSomethingElseWhenReplayedIsRefused) {
  loss_.terms = {{named("test-moving", params_of("by", "calls")), 1}};
  EXPECT_THAT(error_of([&] { trained({}, true); }),
              AllOf(HasSubstr("gives something else when it is replayed"), HasSubstr("in place of")));
}

TEST_F(StepGraphTest, WhatCannotBeRecordedIsToldWithWhatToDo) {
  fails_ = [] {
    throw PluginError("loss \"x\" of plugin y, in forward: operation not permitted when stream is capturing",
                      "no idea");
  };
  try {
    trained({}, true);
    FAIL() << "it was recorded";
  } catch (const PluginError& e) {
    EXPECT_THAT(e.what(), AllOf(HasSubstr("a batch could not be recorded: loss \"x\" of plugin y"),
                                HasSubstr("not permitted when stream is capturing")));
    EXPECT_THAT(e.hint(), HasSubstr("Set train.cuda_graph = false"));
  }
  fails_ = [] { throw std::runtime_error("CUDA out of memory. Tried to allocate"); };
  EXPECT_THAT(error_of([&] { trained({}, true); }), HasSubstr("out of memory"));
}

TEST_F(StepGraphTest, ACpuRecordsNothing) {
  EXPECT_THAT(error_of([] { cuda_recorder(c10::kCPU); }), HasSubstr("train.cuda_graph needs a CUDA device"));
}

}  // namespace
}  // namespace nephron::host
