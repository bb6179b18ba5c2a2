// The plan carried out over days of virtual time, on random workloads.
#include <host/queue/virtual_time.hpp>

#include <algorithm>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nephron::host {
namespace {

constexpr std::int64_t giga = std::int64_t{1} << 30;

/// Whole numbers and shares that are the same with every library.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  int number(int least, int most) {
    return least + static_cast<int>(engine_() % static_cast<std::uint64_t>(most - least + 1));
  }
  bool chance(double p) { return static_cast<double>(engine_() >> 11) * 0x1p-53 < p; }

 private:
  std::mt19937_64 engine_;
};

Machine machine(int gpus, int cores) {
  Machine out;
  for (int i = 0; i < gpus; ++i) out.gpus.push_back({"made up", "", 16 * giga});
  out.cores = cores;
  return out;
}

PlanInput empty(const Machine& machine) {
  PlanInput out;
  out.machine = machine;
  return out;
}

PlanJob random_job(Dice& dice, const Machine& machine, const std::string& user, int number) {
  PlanJob out;
  out.user = user;
  out.id = std::to_string(number);
  const int gpus = static_cast<int>(machine.gpus.size());
  out.request.gpus = gpus == 0 ? 0 : dice.chance(0.2) ? dice.number(1, gpus) : 1;
  if (dice.chance(0.4)) out.request.gpu_bytes = dice.number(1, 16) * giga;
  out.request.cores = dice.number(1, std::max(1, machine.cores / std::max(1, gpus)));
  out.submitted = number;
  out.may_yield = dice.chance(0.9);
  return out;
}

/// No part is given twice, whatever happens.
void expect_parts_disjoint(const PlanInput& state) {
  Parts seen = state.taken;
  for (const PlanJob& job : state.jobs) {
    if (job.at == PlanJob::At::waiting) continue;
    ASSERT_FALSE(seen.meets(job.parts)) << job.name();
    ASSERT_EQ(job.parts.count_cores(), job.request.cores);
    seen.add(job.parts);
  }
}

/// Jobs of mixed sizes and priorities come for eight hours; then none. Everything ends, and nobody waits for longer
/// than all the work there is and a day.
void nobody_starves(std::uint64_t seed) {
  Dice dice(seed);
  const Machine m = machine(dice.number(0, 6), dice.number(2, 24));
  VirtualTime time(empty(m));
  const int users = dice.number(1, 5);
  int number = 0;
  double work = 0;
  constexpr double comes = 8 * 3600;
  while (time.now() < comes || !time.over()) {
    if (time.now() < comes && dice.chance(0.3)) {
      PlanJob job = random_job(dice, m, "user" + std::to_string(dice.number(1, users)), number++);
      job.request.priority = static_cast<Priority>(dice.number(0, 2));
      const double length = dice.chance(0.2) ? dice.number(10, 600) : dice.number(600, 9000);
      work += length;
      time.add(job, length, dice.chance(0.7));
    }
    time.step(900);
    expect_parts_disjoint(time.state());
    ASSERT_LT(time.now(), 86400 * 3 + 2 * work) << "seed " << seed << ": work that never ends";
    if (testing::Test::HasFatalFailure()) return;
  }
  for (const auto& [name, job] : time.jobs()) ASSERT_TRUE(job.ended) << name;
}

/// Users who always have jobs in line share the machine.
void shares_are_equal(std::uint64_t seed) {
  Dice dice(seed);
  const Machine m = machine(dice.number(1, 6), 24);
  VirtualTime time(empty(m));
  const int users = dice.number(2, 4);
  std::map<std::string, int> waiting;
  int number = 0;
  while (time.now() < 3 * 86400.0) {
    waiting.clear();
    for (const PlanJob& job : time.state().jobs) waiting[job.user] += job.at == PlanJob::At::waiting;
    for (int u = 0; u < users; ++u) {
      const std::string user = "user" + std::to_string(u);
      for (int k = waiting[user]; k < 3; ++k) {
        PlanJob job = random_job(dice, m, user, number++);
        job.may_yield = true;
        time.add(job, dice.number(1200, 30000), dice.chance(0.5));
      }
    }
    time.step(1800);
  }
  double mean = 0;
  for (const auto& [user, seconds] : time.spent()) mean += seconds / users;
  ASSERT_EQ(time.spent().size(), static_cast<std::size_t>(users));
  for (const auto& [user, seconds] : time.spent())
    ASSERT_NEAR(seconds / mean, 1, 0.1) << user << " of " << users << ", seed " << seed;
}

TEST(VirtualTime, NobodyStarvesInFiveHundredWorkloads) {
  for (std::uint64_t seed = 1; seed <= 500 && !HasFatalFailure(); ++seed) nobody_starves(seed);
}

TEST(VirtualTime, SharesOfBusyUsersAreEqualInFiveHundredWorkloads) {
  for (std::uint64_t seed = 1001; seed <= 1500 && !HasFatalFailure(); ++seed) shares_are_equal(seed);
}

TEST(VirtualTime, OneWhoUsesLittleDoesNotKeepAHeavyUserOutForever) {
  const Machine m = machine(2, 4);
  PlanInput input = empty(m);
  input.use["heavy"] = 1e7;
  VirtualTime time(input);
  PlanJob large;
  large.user = "heavy";
  large.id = "large";
  large.request = {2, 0, 2, Priority::idle};
  large.may_yield = true;
  time.add(large, 7200, false);
  for (int i = 0; time.now() < 3 * 86400.0; ++i) {
    PlanJob small;
    small.user = "light";
    small.id = std::to_string(i);
    small.request = {1, 0, 1, Priority::normal};
    small.submitted = i;
    if (time.state().jobs.size() < 4) time.add(small, 1800, false);
    time.step(600);
  }
  ASSERT_TRUE(time.jobs().at("large of heavy").started);
  EXPECT_LT(*time.jobs().at("large of heavy").started, 86400 + 7200);
}

TEST(VirtualTime, ALargeJobStartsThoughSmallOnesKeepComing) {
  const Machine m = machine(4, 8);
  VirtualTime time(empty(m));
  for (int i = 0; time.now() < 6 * 3600.0; ++i) {
    PlanJob job;
    job.user = i == 5 ? "ada" : "bob";
    job.id = std::to_string(i);
    job.request = {i == 5 ? 4 : 1, 0, 1, Priority::normal};
    job.submitted = i;
    if (i <= 5 || time.state().jobs.size() < 9) time.add(job, 2400, true);
    time.step(300);
  }
  ASSERT_TRUE(time.jobs().at("5 of ada").started);
  EXPECT_LT(*time.jobs().at("5 of ada").started, 2.5 * 3600);
}

TEST(VirtualTime, StartsAreForetold) {
  PlanInput input = empty(machine(1, 2));
  PlanJob runs;
  runs.user = runs.id = "a";
  runs.request = {1, 0, 1, Priority::normal};
  runs.at = PlanJob::At::running;
  runs.left = 500;
  runs.parts = *place(runs.request, input.machine, Parts::all_of(input.machine));
  input.jobs.push_back(runs);
  PlanJob waits = runs;
  waits.user = "b";
  waits.at = PlanJob::At::waiting;
  waits.left.reset();
  waits.parts = {};
  input.jobs.push_back(waits);
  const auto starts = expected_starts(input);
  EXPECT_FALSE(starts[0]);
  ASSERT_TRUE(starts[1]);
  EXPECT_NEAR(*starts[1], 500, 1);
  input.jobs[0].left.reset();  // nobody knows, and it cannot be stopped
  EXPECT_FALSE(expected_starts(input)[1]);
}

}  // namespace
}  // namespace nephron::host
