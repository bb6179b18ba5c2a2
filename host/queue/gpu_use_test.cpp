#include <host/queue/gpu_use.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nephron::host {
namespace {

// The fake has a process 77 on its first device, with one byte, and 100 processes on the second: 1000 to 1099.
constexpr const char* fake = NEPHRON_FAKE_NVML;

TEST(GpuUse, IsWhatTheDriverTells) {
  const std::vector<Gpu> gpus = gpus_here(fake);
  ASSERT_EQ(gpus.size(), 2U);
  EXPECT_EQ(gpus[1].name, "Fake");
  EXPECT_EQ(gpus[1].uuid, "GPU-1");
  EXPECT_EQ(gpus[1].bytes, std::int64_t{16} << 30);
  EXPECT_FALSE(gpus[1].made_up());
  EXPECT_EQ(processes_on(gpus, fake).size(), 101U);
  EXPECT_THAT(use_of_others(gpus, {77}, fake), testing::ElementsAre(0, 100));
  EXPECT_THAT(use_of_others(gpus, {1000, 1001}, fake), testing::ElementsAre(1, 98));
}

TEST(GpuUse, OfMadeUpAndUnknownOnesIsNone) {
  EXPECT_THAT(use_of_others({{"made up", "", 1}, {"gone", "GPU-7", 1}}, {}, fake), testing::ElementsAre(0, 0));
  EXPECT_TRUE(gpus_here("libnothing-of-this-name.so.1").empty());
  EXPECT_THAT(use_of_others({{"some", "GPU-0", 1}}, {}, "libnothing-of-this-name.so.1"), testing::ElementsAre(0));
}

}  // namespace
}  // namespace nephron::host
