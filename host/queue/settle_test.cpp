#include <host/queue/settle.hpp>

#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <host/queue/agent.hpp>

namespace nephron::host {
namespace {

using At = JobState::At;
using How = JobState::How;
using Wish = JobState::Wish;
using testing::HasSubstr;

const Moment now{2000, 200, "boot"};

Ticket ticket(bool may_yield) {
  Ticket out;
  out.id = "abcdef";
  out.first = {"x"};
  if (may_yield) out.again = {"x"};
  return out;
}

JobState running(Wish wish = Wish::none) {
  JobState out;
  out.at = At::running;
  out.wish = wish;
  out.start = 1;
  out.since = {1000, 100, "boot"};
  out.parts.cores.set(0);
  return out;
}

JobState settled(bool may_yield, Wish wish, std::optional<End> end, bool begun = true) {
  Ended ended;
  ended.end = end;
  ended.begun = begun;
  return after(ticket(may_yield), running(wish), ended, now);
}

TEST(Settle, ExitCodeZeroIsTheEndWhateverWasWished) {
  for (const Wish wish : {Wish::none, Wish::yield, Wish::hold, Wish::cancel}) {
    const JobState s = settled(true, wish, End{1, 0, 0, ""});
    EXPECT_EQ(s.at, At::ended);
    EXPECT_EQ(s.how, How::finished);
    EXPECT_EQ(s.code, 0);
    EXPECT_TRUE(s.parts.empty());
  }
}

TEST(Settle, WhatYieldsIsBackInLine) {
  for (const End& end : {End{1, 130, 0, ""}, End{1, 0, SIGTERM, ""}, End{1, 143, 0, ""}, End{1, 0, SIGKILL, ""}})
    EXPECT_EQ(settled(true, Wish::yield, end).at, At::waiting);
  EXPECT_EQ(settled(true, Wish::yield, std::nullopt).at, At::waiting);
  EXPECT_EQ(settled(true, Wish::hold, End{1, 130, 0, ""}).at, At::held);
  EXPECT_EQ(settled(true, Wish::cancel, End{1, 130, 0, ""}).how, How::cancelled);
  const JobState failed = settled(true, Wish::yield, End{1, 1, 0, ""});
  EXPECT_EQ(failed.how, How::failed) << "it failed while it saved";
  EXPECT_EQ(failed.why, "exit code 1");
}

TEST(Settle, WhatHadNothingToDoYetRestsUnlessItCannotGoOn) {
  const JobState rests = settled(true, Wish::none, End{1, exit_nothing_yet, 0, ""});
  EXPECT_EQ(rests.at, At::waiting);
  EXPECT_TRUE(rests.rests);
  EXPECT_TRUE(rests.parts.empty());
  EXPECT_THAT(rests.why, HasSubstr("nothing to do yet"));
  EXPECT_EQ(settled(true, Wish::hold, End{1, exit_nothing_yet, 0, ""}).at, At::held);
  EXPECT_EQ(settled(true, Wish::cancel, End{1, exit_nothing_yet, 0, ""}).how, How::cancelled);
  EXPECT_EQ(settled(false, Wish::none, End{1, exit_nothing_yet, 0, ""}).how, How::failed);
}

TEST(Settle, WhatRestsIsInLineAgainAWhileLater) {
  HostFile host;
  host.rest_seconds = 60;
  SceneJob job;
  job.ticket = ticket(true);
  job.state = settled(true, Wish::none, End{1, exit_nothing_yet, 0, ""});
  Scene scene;
  scene.jobs = {job};
  std::vector<std::size_t> index;
  const auto later = [](double seconds) { return Moment{now.wall + seconds, now.boot + seconds, now.boot_id}; };
  scene.now = later(59);
  EXPECT_TRUE(rest_left(job, host, scene.now));
  EXPECT_TRUE(plan_input(scene, host, 0, index).jobs.empty());
  scene.now = later(61);
  EXPECT_FALSE(rest_left(job, host, scene.now));
  const PlanInput input = plan_input(scene, host, 0, index);
  ASSERT_EQ(input.jobs.size(), 1U);
  EXPECT_EQ(input.jobs[0].waited, 1) << "it has not waited while it rested";
}

TEST(Settle, WhatFailsIsNotTriedAgain) {
  EXPECT_EQ(settled(true, Wish::none, End{1, 1, 0, ""}).how, How::failed);
  const JobState crashed = settled(true, Wish::none, End{1, 0, SIGSEGV, ""});
  EXPECT_EQ(crashed.how, How::failed);
  EXPECT_EQ(crashed.code, 128 + SIGSEGV);
  EXPECT_EQ(settled(true, Wish::none, End{1, 127, 0, "cannot start x"}).why, "cannot start x");
}

TEST(Settle, AnAgentKilledWhileItStartsAJobCostsNoStart) {
  for (const bool may_yield : {true, false})
    EXPECT_EQ(settled(may_yield, Wish::none, std::nullopt, false).at, At::waiting);
}

TEST(Settle, WhatCannotGoOnIsNeverRunTwice) {
  for (const auto& end : {std::optional<End>(), std::optional(End{1, 0, SIGKILL, ""})}) {
    const JobState s = settled(false, Wish::none, end);
    EXPECT_EQ(s.at, At::ended);
    EXPECT_EQ(s.how, How::killed);
    EXPECT_THAT(s.why, HasSubstr("release abcdef"));
  }
}

TEST(Settle, KillsWithoutProgressAreCounted) {
  Ended ended;
  ended.begun = true;
  ended.progress = "step-1";
  JobState s = running();
  s.progress = "step-1";
  for (int i = 1; i < most_kills; ++i) {
    s = after(ticket(true), s, ended, now);
    EXPECT_EQ(s.at, At::waiting);
    EXPECT_EQ(s.kills, i);
    s.at = At::running;
  }
  EXPECT_EQ(after(ticket(true), s, ended, now).how, How::killed);
  ended.progress = "step-2";
  const JobState further = after(ticket(true), s, ended, now);
  EXPECT_EQ(further.at, At::waiting);
  EXPECT_EQ(further.kills, 1);
}

TEST(Settle, AnInterruptByHandHoldsAndOneByAShutdownDoesNot) {
  EXPECT_EQ(settled(true, Wish::none, End{1, 130, 0, ""}).at, At::held);
  Ended ended;
  ended.begun = true;
  ended.end = End{1, 130, 0, ""};
  JobState before = running();
  before.since.boot_id = "the boot before";
  EXPECT_EQ(after(ticket(true), before, ended, now).at, At::waiting);
}

TEST(Settle, ARunThatIsDoneIsFinishedThoughItsKeeperCouldNotSay) {
  Ended ended;
  ended.begun = ended.run_finished = true;
  EXPECT_EQ(after(ticket(true), running(), ended, now).how, How::finished);
}

}  // namespace
}  // namespace nephron::host
