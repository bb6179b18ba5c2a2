#include <host/train/hard_examples.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/error.hpp>

namespace nephron::host {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr std::int64_t batch_size = 4;

/// Trains on `batches` of an epoch, from `first` on: a loss is a function of the window and of how often it came.
class Trained {
 public:
  explicit Trained(HardExamplesConfig config) : hard(config) {}

  void epoch(std::uint64_t epoch, std::int64_t first, std::int64_t batches) {
    const auto repeats = hard.repeats(/*seed=*/5, epoch);
    for (std::int64_t b = first; b < first + batches; ++b) {
      RawBatch batch;
      batch.first = b * batch_size;
      std::vector<float> losses;
      for (std::int64_t i = 0; i < batch_size; ++i) {
        const SampleNumber number{epoch, batch.first + i};
        const SampleNumber window = repeats != nullptr ? repeats->window_of(number) : number;
        batch.windows.push_back(window);
        losses.push_back(loss_of(window, epoch));
        (window == number ? fresh : again).push_back(window);
      }
      hard.add(batch.first, batch.windows, epoch, at::tensor(losses));
    }
  }
  static float loss_of(const SampleNumber& window, std::uint64_t epoch) {
    const auto hash = static_cast<double>((window.index * 37 + static_cast<std::int64_t>(window.epoch) * 11) % 101);
    return static_cast<float>(hash / std::pow(2.0, static_cast<double>(epoch - window.epoch)));
  }
  std::vector<SampleNumber> known() const {
    const auto repeats = hard.repeats(0, 0);
    std::vector<SampleNumber> out = repeats != nullptr ? repeats->windows : std::vector<SampleNumber>{};
    std::sort(out.begin(), out.end());
    return out;
  }
  double figure(const std::string& wanted) const {
    MetricsLog::Values line;
    hard.add_figures(line);
    for (const auto& [name, value] : line)
      if (name == wanted) return value;
    return -1;
  }

  HardExamples hard;
  std::vector<SampleNumber> fresh, again;
};

void expect_same(const HardExamples& a, const HardExamples& b) {
  const TensorMap x = a.state(), y = b.state();
  ASSERT_EQ(x.size(), y.size());
  for (const auto& [name, tensor] : x) EXPECT_TRUE(at::equal(tensor, y.at(name))) << name;
}

TEST(Repeats, TakeTheirShareEvenlyAndRoundAndRound) {
  Repeats repeats{0.25, {{0, 3}, {0, 9}, {0, 4}}};
  std::vector<std::int64_t> again;
  for (std::int64_t i = 0; i < 4000; ++i) {
    const SampleNumber window = repeats.window_of({7, i});
    if (window == SampleNumber{7, i}) continue;
    EXPECT_EQ(i % 4, 3) << "one a batch of four";
    again.push_back(window.index);
  }
  ASSERT_EQ(again.size(), 1000U);
  EXPECT_THAT(std::vector(again.begin(), again.begin() + 5), ElementsAre(3, 9, 4, 3, 9));
  repeats.share = 0.3;
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < 1000; ++i) count += repeats.window_of({7, i}) == SampleNumber{7, i} ? 0 : 1;
  EXPECT_EQ(count, 300);
  EXPECT_EQ((Repeats{0.5, {}}.window_of({1, 1})), (SampleNumber{1, 1}));
}

TEST(HardExamples, RemembersTheHighestLossesFromOneEpochToTheNext) {
  Trained t({.share = 0.25, .memory = 10});
  t.epoch(0, 0, 100);
  EXPECT_EQ(t.hard.repeats(5, 0), nullptr) << "nothing comes again before the epoch is over";
  EXPECT_TRUE(t.again.empty());
  t.hard.settle();
  EXPECT_EQ(t.figure("hard_share"), 0);
  EXPECT_EQ(t.figure("hard_loss"), -1);
  std::vector<SampleNumber> highest = t.fresh;
  std::sort(highest.begin(), highest.end(), [](const SampleNumber& a, const SampleNumber& b) {
    const float x = Trained::loss_of(a, 0), y = Trained::loss_of(b, 0);
    return x != y ? x > y : a < b;
  });
  highest.resize(10);
  std::sort(highest.begin(), highest.end());
  EXPECT_EQ(t.known(), highest);
  EXPECT_NE(t.hard.repeats(5, 1)->windows, t.hard.repeats(5, 2)->windows) << "the order is drawn for each epoch";

  t.epoch(1, 0, 100);
  t.hard.settle();
  EXPECT_EQ(t.again.size(), 100U) << "a quarter of 400";
  EXPECT_EQ(std::set(t.again.begin(), t.again.end()), std::set(highest.begin(), highest.end()));
  EXPECT_EQ(t.figure("hard_share"), 0.25);
  double sum = 0;
  for (const SampleNumber& w : t.again) sum += Trained::loss_of(w, 1);
  EXPECT_NEAR(t.figure("hard_loss"), sum / 100, 1e-9);
  EXPECT_GT(t.figure("fresh_loss"), 0);
  for (const SampleNumber& w : t.known()) EXPECT_EQ(w.epoch, 1U) << "what lost half of its loss makes way";
}

TEST(HardExamples, ComeBackWithTheCheckpointWithinAnEpochToo) {
  const HardExamplesConfig config{.share = 0.3, .memory = 20};
  Trained whole(config);
  Trained cut(config);
  for (const std::uint64_t epoch : {0U, 1U, 2U}) {
    whole.epoch(epoch, 0, 90);
    cut.epoch(epoch, 0, 47);
    const TensorMap saved = cut.hard.state();
    cut.hard = HardExamples(config);
    cut.hard.load(saved);
    cut.epoch(epoch, 47, 43);
    expect_same(whole.hard, cut.hard);
    whole.hard.settle();
    cut.hard.settle();
    cut.hard.settle();  // an epoch whose validation was interrupted ends twice
    expect_same(whole.hard, cut.hard);
    EXPECT_EQ(whole.figure("hard_loss"), cut.figure("hard_loss"));
    EXPECT_EQ(whole.figure("fresh_loss"), cut.figure("fresh_loss"));
  }
  EXPECT_EQ(whole.again, cut.again);
}

TEST(HardExamples, WhatIsNoNumberIsNotRemembered) {
  HardExamples hard({.share = 0.5, .memory = 1});
  RawBatch batch;
  batch.windows = {{0, 0}, {0, 1}, {0, 2}};
  hard.add(batch.first, batch.windows, 0, at::tensor({std::numeric_limits<float>::quiet_NaN(), 0.5F, -INFINITY}));
  hard.settle();
  EXPECT_THAT(hard.repeats(0, 1)->windows, ElementsAre(SampleNumber{0, 1}));
}

TEST(HardExamples, StateOfOthersIsReadOrRefused) {
  Trained t({.share = 0.5, .memory = 4});
  t.epoch(0, 0, 5);
  t.hard.settle();
  const TensorMap good = t.hard.state();
  HardExamples read({.share = 0.5, .memory = 4});
  read.load(good);
  read.load({});
  EXPECT_EQ(read.repeats(0, 1), nullptr) << "a checkpoint that knows nothing of it";
  const auto refused = [&](const std::string& name, const at::Tensor& with, const char* says) {
    TensorMap bad = good;
    bad.at(name) = with;
    EXPECT_THAT([&] { read.load(bad); }, ThrowsMessage<Error>(HasSubstr(says))) << name;
  };
  const std::string windows = "hard_examples.known.windows", values = "hard_examples.known.values";
  refused(windows, good.at(windows).narrow(0, 0, 3), "impossible form");
  refused(windows, good.at(windows) * -1 - 1, "cannot be");
  refused(windows, good.at(windows) * 0, "twice");
  refused(values, good.at(values) / 0, "cannot be");
  refused("hard_examples.figures", at::tensor({1.0}), "impossible form");
  TensorMap lacking = good;
  lacking.erase(values);
  EXPECT_THAT([&] { read.load(lacking); }, ThrowsMessage<Error>(HasSubstr("lacks")));
}

}  // namespace
}  // namespace nephron::host
