// What the files of runs say of a sweep, damaged ones too.
#include <host/sweep/sweep_state.hpp>

#include <cmath>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <host/runs/folder_lock.hpp>
#include <host/runs/run_name.hpp>
#include <host/runs/sweep_part.hpp>
#include <host/sweep/sweep_job.hpp>
#include <host/sweep/sweep_result.hpp>
#include <host/sweep/sweep_task.hpp>
#include <host/sweep/sweep_trouble.hpp>
#include <tests/support/error_of.hpp>
#include <tests/support/put_file.hpp>
#include <tests/support/scratch_folder.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class State : public testing::Test {
 protected:
  State() {
    plan_.name = "a-sweep", plan_.method = "halving", plan_.score = "best", plan_.started = "20260131-120000",
    plan_.digest = "d";
    plan_.seeds = {1}, plan_.folds = {0}, plan_.rungs = {2, 4}, plan_.eta = 2;
    plan_.axes = {{"train.batch", false}};
    for (int t = 0; t < 4; ++t) plan_.trials.push_back({4, {{"train.batch", std::to_string(t)}}});
  }
  SweepFolder open() const {
    fs::create_directories(scratch_.path() / "work");
    put_file(scratch_.path() / "plan.json", plan_.json());
    return SweepFolder::open(scratch_.path());
  }
  SweepMember member(int trial) const { return SweepMembers(plan_).of(trial).at(0); }
  fs::path run(int trial) const { return scratch_.path() / member(trial).run; }
  fs::path work(int trial) const { return scratch_.path() / "work" / member(trial).run; }

  static std::string line(int epoch, const std::string& dice) {
    return "{\"step\": " + std::to_string(10 * epoch + 10) + ", \"epoch\": " + std::to_string(epoch) +
           ", \"train_loss\": 0.1, \"dice\": " + dice + ", \"seconds\": 1.5}\n";
  }
  /// A run that has come so far; `dice`: of each epoch, as JSON.
  void put_run(int trial, const std::vector<std::string>& dice, bool done = false) const {
    fs::create_directories(run(trial) / "fold-0");
    put_file(run(trial) / "experiment.resolved.toml", "");
    std::string text;
    for (std::size_t e = 0; e < dice.size(); ++e) {
      text += "{\"step\": " + std::to_string(10 * e + 5) + ", \"epoch\": " + std::to_string(e) + ", \"loss\": 0.5}\n";
      text += line(static_cast<int>(e), dice[e]);
    }
    put_file(run(trial) / "fold-0/metrics.jsonl", text);
    if (done) put_file(run(trial) / "fold-0/done.json", "{}");
  }
  SweepState read() const {
    const SweepFolder sweep = open();
    return SweepReader(sweep).read();
  }

  SweepPlan plan_;
  ScratchFolder scratch_{"sweep-state"};
};

TEST_F(State, ScoresAreTheBestUntilTheRung) {
  put_run(0, {"0.5", "0.4", "0.9"});
  const SweepState state = read();
  const HalvingTrial& trial = state.trials[0].halving;
  EXPECT_EQ(trial.rung, 1) << "an epoch beyond the first rung was trained";
  EXPECT_TRUE(trial.complete[0]);
  EXPECT_FALSE(trial.complete[1]);
  EXPECT_EQ(trial.score[0], 0.5);
  EXPECT_EQ(state.trials[1].halving.rung, -1);
  plan_.score = "last";
  EXPECT_EQ(read().trials[0].halving.score[0], 0.4);
}

TEST_F(State, TheLastRungIsCompleteWhenTheRunIsDone) {
  put_run(0, {"0.5", "0.4", "0.6", "0.7"});
  EXPECT_FALSE(read().trials[0].halving.complete[1]);
  put_run(0, {"0.5", "0.4", "0.6"}, true);  // stopped early
  const HalvingTrial trial = read().trials[0].halving;
  EXPECT_TRUE(trial.complete[1]);
  EXPECT_EQ(trial.score[1], 0.6);
}

TEST_F(State, NaNIsNoScoreAndGoesNowhere) {
  for (int t = 0; t < 4; ++t) put_run(t, {"\"nan\"", "\"nan\""});
  put_run(2, {"0.1", "\"nan\""});
  const SweepState state = read();
  EXPECT_EQ(state.trials[0].halving.score[0], std::nullopt);
  EXPECT_TRUE(state.trials[0].halving.complete[0]);
  EXPECT_EQ(state.next(plan_), (Promotion{2, 1}));
  EXPECT_EQ(ranking(state.halving()), std::vector<int>{2});
}

TEST_F(State, ATornLastLineIsAnEpochThatIsNotDone) {
  put_run(0, {"0.5", "0.6"});
  const fs::path file = run(0) / "fold-0/metrics.jsonl";
  fs::resize_file(file, fs::file_size(file) - 9);
  const SweepState state = read();
  EXPECT_TRUE(state.trials[0].failure.empty());
  EXPECT_FALSE(state.trials[0].halving.complete[0]);
  EXPECT_EQ(state.trials[0].members[0].epochs, 1);
}

TEST_F(State, ADamagedLineFailsThatTrialAloneAndNamesFileAndLine) {
  for (int t = 0; t < 4; ++t) put_run(t, {"0.5", "0.6"});
  put_file(run(1) / "fold-0/metrics.jsonl", line(0, "0.5") + "{\"step\": -1\n" + line(1, "0.99"));
  const SweepState state = read();
  EXPECT_THAT(state.trials[1].failure, HasSubstr("metrics.jsonl:2"));
  EXPECT_TRUE(state.trials[1].halving.failed);
  EXPECT_TRUE(state.trials[0].failure.empty());
  EXPECT_EQ(state.next(plan_), (Promotion{0, 1}));
}

TEST_F(State, HalfARunIsNoRun) {
  fs::create_directories(run(0));
  put_file(run(0) / "splits.json", "{}");
  const SweepFolder sweep = open();
  SweepReader reader(sweep);
  EXPECT_EQ(reader.read(member(0)).folder, MemberState::Folder::half);
  EXPECT_EQ(reader.read().trials[0].halving.rung, -1);
}

TEST_F(State, AStartThatWasKilledLeavesNothingThatStaysInTheWay) {
  fs::create_directories(run(0));
  for (const char* file : {"splits.json", "environment.json", "snapshot.json", "log.txt", "sweep.json", ".lock",
                           "cost.json", ".ended.reserve", "splits.json.tmp.1"})
    put_file(run(0) / file, "{}");
  clear_half_run(run(0));
  EXPECT_FALSE(fs::exists(run(0)));
  fs::create_directories(run(0));
  put_file(run(0) / "notes.txt", "mine");
  EXPECT_THAT(error_of([&] { clear_half_run(run(0)); }), HasSubstr("holds more than a start"));
}

TEST_F(State, AValidationThatWasInterruptedIsStillToBeDone) {
  put_run(0, {"0.5", "0.4", "0.6", "0.7"}, true);
  const SweepFolder sweep = open();
  SweepReader reader(sweep);
  const SweepTask validates{member(0), 1, true};
  fs::create_directories(run(0) / "validation");
  for (const auto& [scores, open] :
       {std::pair{"", true}, std::pair{"{\"complete\": false}", true}, std::pair{"{\"complete\": true}", false}}) {
    if (*scores != '\0') put_file(run(0) / "validation/scores.json", scores);
    EXPECT_EQ(is_open(validates, plan_, reader.read(member(0))), open) << scores;
  }
}

TEST_F(State, ACopyOfARunDoesNotCountAndIsNamed) {
  put_run(0, {"0.5", "0.6"});
  write_sweep_part(run(0), {"a-sweep", 0, 0, false});
  fs::copy(run(0), scratch_.path() / "copy", fs::copy_options::recursive);
  const SweepState state = read();
  ASSERT_EQ(state.problems.size(), 1U);
  EXPECT_THAT(state.problems[0], HasSubstr("copy says that it is trial 0"));
  EXPECT_TRUE(state.trials[0].failure.empty());
}

TEST_F(State, ARunThatSaysItIsAnotherTrialFails) {
  put_run(0, {"0.5", "0.6"});
  write_sweep_part(run(0), {"a-sweep", 3, 0, false});
  EXPECT_THAT(read().trials[0].failure, HasSubstr("of trial 3"));
}

TEST_F(State, WhoHoldsTheLockIsAboutToBeginTheNextRung) {
  for (int t = 0; t < 4; ++t) put_run(t, {"0.5", t == 2 ? "0.9" : "0.6"});
  EXPECT_EQ(read().next(plan_), (Promotion{2, 1}));
  fs::create_directories(work(2));
  const FolderLock claim(work(2));
  const SweepState state = read();
  EXPECT_TRUE(state.trials[2].held);
  EXPECT_EQ(state.trials[2].halving.rung, 1);
  EXPECT_EQ(state.next(plan_), (Promotion{0, 1})) << "the second of two that go on";
}

TEST_F(State, ARungThatWasBegunStaysSo) {
  for (int t = 0; t < 4; ++t) put_run(t, {"0.5", "0.6"});
  write_sweep_part(run(3), {"a-sweep", 3, 1, false});  // killed before its first epoch of it
  const SweepFolder sweep = open();
  SweepReader reader(sweep);
  const SweepState state = reader.read();
  EXPECT_EQ(state.trials[3].halving.rung, 1);
  const std::vector<SweepTask> tasks = open_tasks(sweep, state, reader);
  ASSERT_EQ(tasks.size(), 1U) << "what was begun comes first";
  EXPECT_EQ(tasks[0].member.trial, 3);
  EXPECT_EQ(tasks[0].rung, 1);
}

TEST_F(State, FailuresStayUntilTheyAreForgotten) {
  fs::create_directories(work(0));
  write_failure(work(0), "CUDA is out of memory", "a smaller batch");
  EXPECT_EQ(read().trials[0].failure, "CUDA is out of memory");
  put_file(work(0) / "failed.json", "{\"error\": 3");
  EXPECT_THAT(read().trials[0].failure, HasSubstr("failed.json"));
  EXPECT_EQ(forget_failures(scratch_.path()), 1);
  EXPECT_EQ(read().trials[0].failure, "");
}

TEST_F(State, AProcessIsKilledThreeTimesWithoutComingFurther) {
  fs::create_directories(work(0));
  EXPECT_FALSE(note_death(work(0), 0, "killed"));
  EXPECT_FALSE(note_death(work(0), 0, "killed"));
  EXPECT_FALSE(note_death(work(0), 2, "killed")) << "it came further";
  std::ofstream(work(0) / "deaths.jsonl", std::ios::app) << "{\"epochs\": 2, \"ho\n";
  EXPECT_FALSE(note_death(work(0), 2, "killed"));
  EXPECT_TRUE(note_death(work(0), 2, "killed"));
}

TEST_F(State, AFolderThatIsNoSweepIsSaid) {
  EXPECT_THAT(error_of([&] { SweepFolder::open(scratch_.path()); }), HasSubstr("no sweep at"));
}

TEST(Flattery, IsTheWholeLeadWhereTrialsDifferByNoiseAlone) {
  // Means 0.50, 0.51, 0.52 that their runs' spread explains.
  const auto all = flattery_of({{0.40, 0.60}, {0.41, 0.61}, {0.42, 0.62}});
  ASSERT_TRUE(all);
  EXPECT_NEAR(all->too_good, 0.01, 1e-9);
  EXPECT_NEAR(all->noise, std::sqrt(0.02 / 2), 1e-9);
  // Nothing where the runs of a trial agree.
  EXPECT_NEAR(flattery_of({{0.4, 0.4}, {0.5, 0.5}, {0.6, 0.6}})->too_good, 0, 1e-12);
  EXPECT_FALSE(flattery_of({{0.4}, {0.5}, {0.6}}));
  EXPECT_FALSE(flattery_of({{0.4, 0.5}, {0.5, 0.6}}));
}

}  // namespace
}  // namespace nephron::host
