#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <host/cost/cost_account.hpp>
#include <host/cost/cost_meter.hpp>
#include <host/cost/device_watch.hpp>
#include <host/cost/machine_time.hpp>
#include <tests/support/damaged.hpp>
#include <tests/support/put_file.hpp>
#include <tests/support/scratch_folder.hpp>

namespace nephron::host {
namespace {

using testing::DoubleNear;
using testing::HasSubstr;

constexpr const char* stat_text =
    "cpu  100 20 30 9000 400 5 6 7 50 0\ncpu0 50 10 15 4500 200 2 3 4 25 0\ncpu1 50 10 15 4500 200 3 3 3 25 0\nintr "
    "5\n";

TEST(MachineTimes, CountWorkAndNoWaiting) {
  const auto time = machine_time_in(stat_text, 100);
  ASSERT_TRUE(time);
  EXPECT_DOUBLE_EQ(time->busy_s, 1.68);  // guests are in user already
  EXPECT_EQ(time->cores, 2);
  ASSERT_TRUE(machine_time());
  EXPECT_GT(machine_time()->busy_s, 0);
}

TEST(MachineTimes, AnythingElseIsNone) {
  for (const char* text : {"", "cpu", "cpu  1 2\ncpu0 1 2 3 4\n", "cpu  1 2 3 x\ncpu0 1\n", "cpu  1 2 3 4\n",
                           "cpu  99999999999999999999999 1 2 3\ncpu0 1\n", "intr 5\n"})
    EXPECT_FALSE(machine_time_in(text, 100)) << text;
  EXPECT_FALSE(machine_time_in(stat_text, 0));
  // Whatever it is, it is read or refused, and neither hangs nor crashes.
  const std::string whole = stat_text;
  for (std::size_t cut = 0; cut < whole.size(); ++cut) machine_time_in(whole.substr(0, cut), 100);
}

CostReading reading(double clock, double cpu, double busy, DeviceReading devices = {}) {
  return {clock, {cpu, 100 + cpu}, MachineTime{busy, 4}, devices};
}

TEST(CostAccounts, SubtractWhatWasBefore) {
  CostAccount account("then", 0, 1);
  account.add(reading(1000, 5, 70));
  account.add(reading(1010, 25, 100));
  const SessionCost& cost = account.cost();
  EXPECT_DOUBLE_EQ(cost.wall_s, 10);
  EXPECT_DOUBLE_EQ(cost.cpu_s, 20);
  EXPECT_DOUBLE_EQ(cost.others_cpu_s, 10);
  EXPECT_DOUBLE_EQ(cost.machine_s, 40);
  EXPECT_DOUBLE_EQ(cost.peak_rss_mb, 125);
  EXPECT_EQ(cost.gpu_s, 0);
  EXPECT_FALSE(cost.energy_wh);
  account.add(reading(1020, 10, 130));  // a child went without being waited for
  EXPECT_DOUBLE_EQ(account.cost().cpu_s, 20);
}

TEST(CostAccounts, DevicesCountFromWhenTheyAreHeld) {
  CostAccount account("then", 2, 1);
  account.add(reading(0, 0, 0, {1000.0, false}));
  account.add(reading(10, 1, 1, {2000.0, false}));
  account.hold_devices();
  account.add(reading(40, 2, 2, {9200.0, false}));
  EXPECT_DOUBLE_EQ(account.cost().gpu_s, 60);
  EXPECT_DOUBLE_EQ(account.cost().energy_wh.value(), 2);
  EXPECT_EQ(account.cost().gpu_shared, false);
}

TEST(CostAccounts, EnergyIsOursOnlyWhereWeWereAloneAllTheTime) {
  CostAccount account("then", 1, 1);
  account.add(reading(0, 0, 0, {1000.0, false}));
  account.hold_devices();
  account.add(reading(10, 1, 1, {2000.0, true}));
  account.add(reading(20, 2, 2, {3000.0, false}));
  EXPECT_FALSE(account.cost().energy_wh);
  EXPECT_EQ(account.cost().gpu_shared, true);

  CostAccount untold("then", 1, 1);
  untold.add(reading(0, 0, 0, {1000.0, std::nullopt}));
  untold.hold_devices();
  untold.add(reading(10, 1, 1, {2000.0, std::nullopt}));
  EXPECT_FALSE(untold.cost().energy_wh);
  EXPECT_FALSE(untold.cost().gpu_shared);

  CostAccount ranks("then", 1, 4);
  ranks.add(reading(0, 0, 0, {1000.0, false}));
  ranks.hold_devices();
  ranks.add(reading(10, 1, 1, {2000.0, false}));
  EXPECT_DOUBLE_EQ(ranks.cost().gpu_s, 40);
  EXPECT_FALSE(ranks.cost().energy_wh) << "the other ranks' devices were not read";
}

SessionCost session(double cpu, double others, double machine) {
  SessionCost out;
  out.started = "2026-01-31T12:00:00+0000";
  out.cpu_s = cpu, out.others_cpu_s = others, out.machine_s = machine;
  return out;
}

TEST(CostRecords, SumOverSessions) {
  SessionCost a = session(90, 10, 400), b = session(10, 0, 100);
  a.gpu_s = 5, b.gpu_s = 7, a.peak_rss_mb = 300, b.peak_rss_mb = 200, a.energy_wh = 1.5, b.energy_wh = 0.5;
  const RunCostRecord sum = sum_of({a, b});
  EXPECT_DOUBLE_EQ(sum.cpu_s.value(), 100);
  EXPECT_DOUBLE_EQ(sum.gpu_s, 12);
  EXPECT_DOUBLE_EQ(sum.peak_rss_mb, 300);
  EXPECT_DOUBLE_EQ(sum.energy_wh.value(), 2);
  EXPECT_NEAR(sum.beside_others, 10.0 / 110, 1e-12);
  EXPECT_FALSE(sum.was_beside);
  b.energy_wh.reset();
  b.ranks = 2;
  EXPECT_FALSE(sum_of({a, b}).energy_wh);
  EXPECT_FALSE(sum_of({a, b}).cpu_s);
}

TEST(CostRecords, WhoIsBesideOthers) {
  EXPECT_TRUE(sum_of({session(90, 30, 400)}).was_beside);
  EXPECT_FALSE(sum_of({session(10, 5, 4000)}).was_beside) << "a run on a GPU of a machine whose services hum";
  SessionCost shared = session(100, 0, 400);
  shared.gpu_shared = true;
  EXPECT_TRUE(sum_of({shared}).was_beside);
  EXPECT_EQ(sum_of({}).beside_others, 0);
  EXPECT_FALSE(sum_of({}).cpu_s);
}

TEST(CostRecords, AreReadAsTheyWereWritten) {
  const ScratchFolder scratch("cost");
  EXPECT_TRUE(read_cost(scratch.path()).sessions.empty());
  SessionCost a = session(90.5, 10, 400);
  a.energy_wh = 2.25, a.gpu_shared = false, a.gpu_s = 3, a.wall_s = 17, a.peak_rss_mb = 12.5;
  write_cost(scratch.path(), {a, session(1, 2, 3)});
  const RunCostRecord read = read_cost(scratch.path());
  ASSERT_EQ(read.sessions.size(), 2U);
  EXPECT_EQ(read.sessions[0].energy_wh, 2.25);
  EXPECT_EQ(read.sessions[0].gpu_shared, false);
  EXPECT_EQ(read.sessions[0].wall_s, 17);
  EXPECT_FALSE(read.sessions[1].gpu_shared);
  EXPECT_DOUBLE_EQ(read.cpu_s.value(), 91.5);
}

TEST(CostRecords, DamagedOnesAreRefusedByName) {
  const ScratchFolder scratch("cost");
  write_cost(scratch.path(), {session(1, 2, 3), session(4, 5, 6)});
  std::ifstream in(cost_file(scratch.path()));
  const std::string whole{std::istreambuf_iterator<char>(in), {}};
  const Damage damage{"{}[]\",:019-.e\n", {"null", "-1", "1e999", "\"\"", "[]"}, 6};
  read_damaged(3000, {whole}, damage, HasSubstr("cost.json"), [&](const std::string& text) {
    put_file(cost_file(scratch.path()), text);
    read_cost(scratch.path());
  });
}

TEST(CostMeters, KeepASessionFromItsBeginOn) {
  const ScratchFolder scratch("cost");
  write_cost(scratch.path(), {session(1, 2, 3)});
  {
    CostMeter meter({}, 1, 1);
    meter.keep_in(scratch.path());
    EXPECT_EQ(read_cost(scratch.path()).sessions.size(), 2U) << "a process that is killed at once left nothing";
    volatile double sum = 0;
    const auto worked = [] { return static_cast<double>(::clock()) / CLOCKS_PER_SEC; };
    for (const double begin = worked(); worked() < begin + 0.2;) sum = sum + 1;
  }
  const RunCostRecord record = read_cost(scratch.path());
  ASSERT_EQ(record.sessions.size(), 2U);
  EXPECT_GE(record.sessions[1].cpu_s, 0.15);
  EXPECT_GT(record.sessions[1].peak_rss_mb, 1);
  EXPECT_GT(record.sessions[1].machine_s, 0);
  EXPECT_EQ(record.sessions[1].gpu_s, 0);
}

TEST(CostMeters, CountWhatChildrenWorked) {
  const ScratchFolder scratch("cost");
  {
    CostMeter meter({}, 1, 1);
    meter.keep_in(scratch.path());
    ASSERT_EQ(std::system("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"), 0);
  }
  EXPECT_GE(read_cost(scratch.path()).sessions.at(0).cpu_s, 0.05);
}

TEST(DeviceWatches, NothingWhereThereIsNoDriver) {
  EXPECT_FALSE(places_on_bus({"cuda:0"}, "libnothing-of-this-name.so.1"));
  EXPECT_EQ(nvml_watch({"0000:00:00.0"}, "libnothing-of-this-name.so.1"), nullptr);
  EXPECT_EQ(nvml_watch({}, "libnothing-of-this-name.so.1"), nullptr);
}

TEST(DeviceWatches, AskTheDriver) {
  const std::filesystem::path fake = NEPHRON_FAKE_NVML;
  const auto places = places_on_bus({"cuda", "cuda:1"}, fake);
  ASSERT_TRUE(places);
  EXPECT_THAT(*places, testing::ElementsAre("0000:10:00.0", "0000:11:00.0"));
  for (const char* device : {"cuda:2", "cpu", "cuda:", "cuda:-1", "cuda:1x"})
    EXPECT_FALSE(places_on_bus({device}, fake)) << device;
  EXPECT_EQ(nvml_watch({"0000:99:00.0"}, fake), nullptr);
  const auto watch = nvml_watch(*places, fake);
  ASSERT_NE(watch, nullptr);

  // The fake has a process 77 on device 0, and 100 processes on device 1: 1000 to 1099.
  std::set<pid_t> all{77};
  for (pid_t p = 1000; p < 1100; ++p) all.insert(p);
  const DeviceReading ours = watch->read(all, 1);
  EXPECT_THAT(ours.energy_j.value(), DoubleNear(3.0, 1e-9));
  EXPECT_EQ(ours.shared, false);
  all.erase(1050);
  EXPECT_EQ(watch->read(all, 1).shared, true);
  // In a container none of our numbers is known: as many as hold it are ours.
  EXPECT_EQ(nvml_watch({places->at(0)}, fake)->read({5}, 1).shared, false);
  EXPECT_EQ(nvml_watch({places->at(1)}, fake)->read({5}, 99).shared, true);
}

}  // namespace
}  // namespace nephron::host
