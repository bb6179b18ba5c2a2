#include <host/queue/plan.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nephron::host {
namespace {

using testing::HasSubstr;
using What = Decision::What;
constexpr std::int64_t giga = std::int64_t{1} << 30;

Machine machine(int gpus, int cores = 8) {
  Machine out;
  for (int i = 0; i < gpus; ++i) out.gpus.push_back({"made up", "", 16 * giga});
  out.cores = cores;
  return out;
}

struct Made {
  PlanInput input;
  explicit Made(Machine m) { input.machine = std::move(m); }
  PlanJob& add(const std::string& user, const std::string& id, int gpus, std::int64_t bytes = 0) {
    PlanJob job;
    job.user = user;
    job.id = id;
    job.request = {gpus, bytes, 1, Priority::normal};
    job.submitted = static_cast<double>(input.jobs.size());
    job.may_yield = true;
    input.jobs.push_back(job);
    return input.jobs.back();
  }
  PlanJob& runs(const std::string& user, const std::string& id, int gpus, double ran) {
    PlanJob& job = add(user, id, gpus);
    Parts free = Parts::all_of(input.machine);
    free.remove(input.taken);
    for (const PlanJob& other : input.jobs) free.remove(other.parts);
    job.parts = place(job.request, input.machine, free).value();
    job.at = PlanJob::At::running;
    job.ran = ran;
    return job;
  }
  std::vector<Decision> plan() const { return host::plan(input); }
};

TEST(Plan, UsersTakeTurnsForWhatIsFree) {
  Made made(machine(2));
  made.add("ada", "1", 1);
  made.add("ada", "2", 1);
  made.add("bob", "3", 1);
  const auto d = made.plan();
  EXPECT_EQ(d[0].what, What::start);
  EXPECT_EQ(d[1].what, What::wait);
  EXPECT_EQ(d[2].what, What::start);
  EXPECT_FALSE(d[0].parts.meets(d[2].parts));
  EXPECT_THAT(d[1].why, HasSubstr("1 GPU, 1 core are not free"));
}

TEST(Plan, WhoUsedLessGoesFirst) {
  Made made(machine(1));
  made.add("ada", "1", 1);
  made.add("bob", "2", 1);
  made.input.use["ada"] = 1000;
  EXPECT_EQ(made.plan()[0].what, What::wait);
  EXPECT_EQ(made.plan()[1].what, What::start);
}

TEST(Plan, SmallJobsShareAGpuWithinWhatTheyAskedFor) {
  Made made(machine(2));
  made.add("ada", "1", 1, 6 * giga);
  made.add("ada", "2", 1, 6 * giga);
  made.add("ada", "3", 1, 6 * giga);
  const auto d = made.plan();
  EXPECT_EQ(d[0].parts.gpus[0], 0x003f);
  EXPECT_EQ(d[1].parts.gpus[0], 0x0fc0);
  EXPECT_EQ(d[2].parts.gpus[1], 0x003f) << "it does not fit into what is left of the first";
}

TEST(Plan, ARunYieldsAfterItsSliceToWhoUsedLessAndNotInItsLastMinutes) {
  Made made(machine(1));
  made.runs("ada", "1", 1, 3500);
  made.add("bob", "2", 1);
  made.input.use["ada"] = 4000;
  EXPECT_EQ(made.plan()[0].what, What::stay);
  made.input.jobs[0].ran = 3600;
  EXPECT_EQ(made.plan()[0].what, What::yield);
  EXPECT_THAT(made.plan()[0].why, HasSubstr("2 of bob used less"));
  EXPECT_THAT(made.plan()[1].why, HasSubstr("1 of ada is stopped for it"));
  made.input.jobs[0].left = 599;
  EXPECT_EQ(made.plan()[0].what, What::stay);
  made.input.jobs[0].left = 3000;
  made.input.use["bob"] = 4000;
  EXPECT_EQ(made.plan()[0].what, What::stay);
  made.input.use["bob"] = 0;
  made.input.jobs[0].may_yield = false;
  EXPECT_EQ(made.plan()[0].what, What::stay);
}

TEST(Plan, NoMoreRunsYieldThanAreNeeded) {
  Made made(machine(3));
  for (const char* id : {"1", "2", "3"}) made.runs("ada", id, 1, 4000);
  made.add("bob", "4", 1);
  made.input.use["ada"] = 12000;
  int yields = 0;
  for (const Decision& d : made.plan()) yields += d.what == What::yield;
  EXPECT_EQ(yields, 1);
  made.input.jobs.back().request.gpus = 3;
  yields = 0;
  for (const Decision& d : made.plan()) yields += d.what == What::yield;
  EXPECT_EQ(yields, 3);
}

TEST(Plan, WhatLeavesIsKeptForTheJobThatItLeavesFor) {
  Made made(machine(1));
  made.runs("ada", "1", 1, 4000).at = PlanJob::At::leaving;
  made.add("bob", "2", 1);
  made.add("cy", "3", 1);
  const auto d = made.plan();
  EXPECT_THAT(d[1].why, HasSubstr("1 of ada is ending for it"));
  EXPECT_THAT(d[2].why, HasSubstr("not free"));
}

TEST(Plan, ALargeJobGetsPartsKeptAfterHalfAnHour) {
  Made made(machine(2));
  made.runs("ada", "1", 1, 100).left = 5000;
  made.input.jobs[0].may_yield = false;
  made.add("bob", "large", 2).waited = 1000;
  made.add("cy", "small", 1).may_yield = false;
  made.input.use["cy"] = 100000;
  EXPECT_EQ(made.plan()[2].what, What::start) << "it fills the gap";
  made.input.jobs[1].waited = 1800;
  EXPECT_EQ(made.plan()[2].what, What::wait);
  EXPECT_THAT(made.plan()[1].why, HasSubstr("parts are kept for it"));
  EXPECT_THAT(made.plan()[2].why, HasSubstr("what is free is kept for large of bob"));
  made.input.jobs[2].left = 4000;
  EXPECT_EQ(made.plan()[2].what, What::start) << "it ends before the large one can start";
  EXPECT_FALSE(made.plan()[2].fills);
  made.input.jobs[2].left = 6000;
  EXPECT_EQ(made.plan()[2].what, What::wait);
  made.input.jobs[2].may_yield = true;
  EXPECT_EQ(made.plan()[2].what, What::start);
  EXPECT_TRUE(made.plan()[2].fills);
}

TEST(Plan, WhatFillsAGapIsStoppedWhenTheLargeJobCanStart) {
  Made made(machine(2));
  PlanJob& filler = made.runs("cy", "small", 1, 10);
  filler.fills = true;
  made.add("bob", "large", 2).waited = 1800;
  EXPECT_EQ(made.plan()[0].what, What::yield);
  EXPECT_THAT(made.plan()[0].why, HasSubstr("large of bob can start now"));
}

TEST(Plan, UrgentIsForWhoUsedNoMoreThanOthers) {
  Made made(machine(1));
  made.add("ada", "1", 1).request.priority = Priority::urgent;
  made.add("bob", "2", 1);
  EXPECT_EQ(made.plan()[0].what, What::start);
  made.input.use["ada"] = 10;
  EXPECT_EQ(made.plan()[0].what, What::wait);
  made.input.use["bob"] = 11;
  EXPECT_EQ(made.plan()[0].what, What::start);
}

TEST(Plan, IdleJobsYieldToOthersAndAreNotForgotten) {
  Made made(machine(1));
  made.runs("ada", "1", 1, 3600).request.priority = Priority::idle;
  made.add("ada", "2", 1);
  EXPECT_EQ(made.plan()[0].what, What::yield);
  Made other(machine(1));
  other.add("ada", "1", 1).request.priority = Priority::idle;
  other.add("bob", "2", 1);
  EXPECT_EQ(other.plan()[0].what, What::wait);
  other.input.jobs[0].waited = 86401;
  EXPECT_EQ(other.plan()[0].what, What::start);
}

TEST(Plan, WhatIsUsedOutsideOfTheQueueIsTaken) {
  Made made(machine(1));
  made.input.taken.gpus[0] = 0x00ff;
  made.add("ada", "1", 1);
  made.add("ada", "2", 1, 8 * giga);
  EXPECT_THAT(made.plan()[0].why, HasSubstr("in use outside of the queue: GPU 0 (8/16)"));
  EXPECT_EQ(made.plan()[1].what, What::start);
}

TEST(Plan, WhatNeverFitsSaysSo) {
  Made made(machine(1, 2));
  made.add("ada", "1", 2);
  made.add("ada", "2", 1, 17 * giga);
  made.add("ada", "3", 0).request.cores = 3;
  EXPECT_EQ(made.plan()[0].why, "2 GPUs were asked for; this machine has 1");
  EXPECT_EQ(made.plan()[1].why, "1 GPU with 17 GiB of memory were asked for; this machine has 0");
  EXPECT_EQ(made.plan()[2].why, "3 cores were asked for; this machine has 2");
}

TEST(Parts, SizesAreReadAsPeopleWriteThem) {
  EXPECT_EQ(bytes_of("6G"), 6 * giga);
  EXPECT_EQ(bytes_of("6GiB"), 6 * giga);
  EXPECT_EQ(bytes_of("512m"), giga / 2);
  EXPECT_EQ(bytes_of("1.5gb"), giga * 3 / 2);
  EXPECT_EQ(bytes_of("1000"), 1000);
  for (const char* wrong : {"", "G", "-1G", "0", "6 G", "6X", "1e99G", "nan", "inf", "6GG"})
    EXPECT_FALSE(bytes_of(wrong)) << wrong;
}

}  // namespace
}  // namespace nephron::host
