#include <host/sweep/halving.hpp>

#include <algorithm>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nephron::host {
namespace {

/// Trials with known scores; as many processes as one likes train them, and end in any order.
class Simulation {
 public:
  Simulation(std::vector<std::optional<double>> scores, int rungs) : scores_(std::move(scores)), rungs_(rungs) {
    for (std::size_t t = 0; t < scores_.size(); ++t)
      trials.push_back({-1, false, std::vector<bool>(static_cast<std::size_t>(rungs)),
                        std::vector<std::optional<double>>(static_cast<std::size_t>(rungs))});
  }

  /// Runs to the end; how many promotions there were.
  int run(int eta, std::size_t processes, unsigned order) {
    std::mt19937 random(order);
    int promotions = 0;
    for (;;) {
      while (running_.size() < processes) {
        const auto next = next_promotion(trials, eta, rungs_);
        if (!next) break;
        HalvingTrial& trial = trials.at(static_cast<std::size_t>(next->trial));
        EXPECT_EQ(trial.rung + 1, next->rung);
        EXPECT_FALSE(trial.failed);
        promotions += next->rung > 0;
        trial.rung = next->rung;
        running_.push_back(next->trial);
      }
      if (running_.empty()) return promotions;
      const std::size_t ended = random() % running_.size();
      end(running_[ended]);
      running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(ended));
    }
  }

  std::vector<HalvingTrial> trials;
  std::vector<int> failing;

 private:
  void end(int t) {
    HalvingTrial& trial = trials[static_cast<std::size_t>(t)];
    if (std::find(failing.begin(), failing.end(), t) != failing.end()) return void(trial.failed = true);
    trial.complete[static_cast<std::size_t>(trial.rung)] = true;
    trial.score[static_cast<std::size_t>(trial.rung)] = scores_[static_cast<std::size_t>(t)];
  }

  std::vector<std::optional<double>> scores_;
  int rungs_;
  std::vector<int> running_;
};

std::vector<std::optional<double>> scores_of(int count) {
  std::vector<std::optional<double>> out;
  for (int t = 0; t < count; ++t) out.emplace_back(0.5 + 0.01 * ((t * 17) % count));  // 27 has no factor of 17
  return out;
}

std::size_t came_to(const Simulation& s, std::size_t rung) {
  return static_cast<std::size_t>(
      std::count_if(s.trials.begin(), s.trials.end(), [&](const HalvingTrial& t) { return t.complete[rung]; }));
}

TEST(Halving, TheBestComeToTheEndInWhateverOrderResultsCome) {
  const auto scores = scores_of(27);
  std::vector<int> best(27);
  for (int t = 0; t < 27; ++t) best[static_cast<std::size_t>(t)] = t;
  std::sort(best.begin(), best.end(),
            [&](int a, int b) { return scores[static_cast<std::size_t>(a)] > scores[static_cast<std::size_t>(b)]; });
  for (unsigned order = 0; order < 200; ++order) {
    Simulation s(scores, 3);
    s.run(3, 1 + order % 8, order);
    EXPECT_EQ(came_to(s, 0), 27U);
    EXPECT_GE(came_to(s, 1), 9U);
    EXPECT_LT(came_to(s, 1), 20U) << "asynchronous promotions are more, not all";
    for (int i = 0; i < 9; ++i)
      EXPECT_TRUE(s.trials[static_cast<std::size_t>(best[static_cast<std::size_t>(i)])].complete[1]) << order;
    EXPECT_EQ(ranking(s.trials).at(0), best[0]) << order;
  }
}

TEST(Halving, DecisionsDependOnResultsAlone) {
  Simulation a(scores_of(27), 3), b(scores_of(27), 3);
  EXPECT_EQ(a.run(3, 1, 1), b.run(3, 1, 2)) << "one process has one order";
  for (std::size_t t = 0; t < 27; ++t) EXPECT_EQ(a.trials[t].rung, b.trials[t].rung);
}

TEST(Halving, WhatHasNoScoreOrFailedNeverGoesOn) {
  for (unsigned order = 0; order < 50; ++order) {
    auto scores = scores_of(27);
    scores[3].reset(), scores[4].reset();
    Simulation s(scores, 3);
    s.failing = {5, 6};
    s.run(3, 3, order);
    for (const std::size_t t : {3U, 4U, 5U, 6U}) EXPECT_EQ(s.trials[t].rung, 0) << t;
    const std::vector<int> order_of = ranking(s.trials);
    for (const int t : {3, 4, 5, 6}) EXPECT_EQ(std::count(order_of.begin(), order_of.end(), t), 0);
    EXPECT_EQ(order_of.size(), 23U);
  }
}

TEST(Halving, WhoFailsHigherUpMakesRoomForTheNext) {
  Simulation s(scores_of(3), 2);  // the second of them is the best
  s.run(3, 1, 1);
  ASSERT_EQ(came_to(s, 1), 1U);
  const int best = ranking(s.trials).at(0);
  Simulation again(scores_of(3), 2);
  for (int t = 0; t < 3; ++t) {
    HalvingTrial& trial = again.trials[static_cast<std::size_t>(t)];
    trial.rung = 0, trial.complete[0] = true, trial.score[0] = scores_of(3)[static_cast<std::size_t>(t)];
  }
  again.trials[static_cast<std::size_t>(best)].rung = 1;
  again.trials[static_cast<std::size_t>(best)].failed = true;
  again.run(3, 1, 1);
  EXPECT_EQ(came_to(again, 1), 1U) << "the second best comes to the end";
}

TEST(Halving, FewTrialsStillBringOneToTheEnd) {
  for (const int count : {1, 2, 3, 4}) {
    Simulation s(scores_of(count), 3);
    s.run(3, 2, 1);
    EXPECT_EQ(came_to(s, 2), 1U) << count;
  }
}

TEST(Halving, NothingGoesOnWithoutAnyScore) {
  Simulation s({std::nullopt, std::nullopt, std::nullopt, std::nullopt}, 2);
  EXPECT_EQ(s.run(2, 2, 1), 0);
  EXPECT_TRUE(ranking(s.trials).empty());
}

TEST(Halving, ARungWaitsForThoseThatMayStillCome) {
  Simulation s(scores_of(2), 2);
  s.trials[0].rung = 0, s.trials[0].complete[0] = true, s.trials[0].score[0] = 0.9;
  s.trials[1].rung = 0;  // is being trained
  EXPECT_EQ(next_promotion(s.trials, 3, 2), std::nullopt);
  s.trials[1].failed = true;
  EXPECT_EQ(next_promotion(s.trials, 3, 2), (Promotion{0, 1}));
}

TEST(Halving, OneRungBeginsEveryTrialOnce) {
  Simulation s(scores_of(5), 1);
  EXPECT_EQ(s.run(2, 2, 1), 0);
  EXPECT_EQ(came_to(s, 0), 5U);
}

TEST(Halving, EqualScoresGoByNumber) {
  Simulation s({0.5, 0.5, 0.5, 0.5}, 2);
  s.run(2, 1, 1);
  EXPECT_EQ(s.trials[0].rung, 1);
  EXPECT_EQ(ranking(s.trials).at(0), 0);
}

}  // namespace
}  // namespace nephron::host
