#include <host/train/schedule.hpp>

#include <gtest/gtest.h>

#include <nephron/error.hpp>

namespace nephron::host {
namespace {

ScheduleConfig config(const char* type, double warmup) {
  ScheduleConfig out;
  out.type = type;
  out.warmup = warmup;
  return out;
}

TEST(Schedule, LinearRisesAndFalls) {
  const ScheduleConfig c = config("linear", 0.05);
  EXPECT_EQ(schedule_factor(c, 0, 200), 0);
  EXPECT_DOUBLE_EQ(schedule_factor(c, 5, 200), 0.5);
  EXPECT_EQ(schedule_factor(c, 10, 200), 1);
  EXPECT_DOUBLE_EQ(schedule_factor(c, 105, 200), 0.5);
  EXPECT_DOUBLE_EQ(schedule_factor(c, 199, 200), 1.0 / 190);
  EXPECT_EQ(schedule_factor(c, 200, 200), 0);
}

TEST(Schedule, CosineAndConstant) {
  EXPECT_NEAR(schedule_factor(config("cosine", 0.1), 55, 100), 0.5, 1e-12);
  EXPECT_DOUBLE_EQ(schedule_factor(config("cosine", 0.1), 10, 100), 1);
  EXPECT_NEAR(schedule_factor(config("cosine", 0.1), 100, 100), 0, 1e-12);
  EXPECT_DOUBLE_EQ(schedule_factor(config("constant", 0.1), 5, 100), 0.5);
  EXPECT_EQ(schedule_factor(config("constant", 0.1), 99, 100), 1);
}

TEST(Schedule, NoWarmUpStartsAtOnce) {
  EXPECT_EQ(schedule_factor(config("linear", 0), 0, 10), 1);
  EXPECT_EQ(schedule_factor(config("linear", 0.05), 0, 10), 1) << "five percent of ten steps is no step";
  EXPECT_EQ(schedule_factor(config("linear", 1), 9, 10), 0.9);
}

TEST(Schedule, RefusesAnUnknownOne) { EXPECT_THROW(schedule_factor(config("step", 0), 0, 10), Error); }

}  // namespace
}  // namespace nephron::host
