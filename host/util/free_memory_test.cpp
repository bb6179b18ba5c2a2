#include <host/util/free_memory.hpp>

#include <fstream>
#include <limits>

#include <gtest/gtest.h>
#include <unistd.h>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;

class FreeMemory : public testing::Test {
 protected:
  void SetUp() override {
    put("proc/meminfo", "MemTotal:  1000 kB\nMemFree:  50 kB\nMemAvailable:  400 kB\nSwapFree:  100 kB\n");
  }
  void TearDown() override { fs::remove_all(root_); }
  void put(const std::string& file, const std::string& text) {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }
  fs::path root_ = fs::path(testing::TempDir()) / ("free-memory-" + std::to_string(::getpid()));
};

TEST_F(FreeMemory, IsWhatTheMachineHas) { EXPECT_EQ(free_memory(root_), 500 * 1024); }

TEST_F(FreeMemory, IsLessWhereAGroupOrOneAboveItAllowsLess) {
  put("proc/self/cgroup", "0::/user/job\n");
  put("sys/fs/cgroup/user/job/memory.max", "max\n");
  put("sys/fs/cgroup/user/job/memory.current", "1000\n");
  EXPECT_EQ(free_memory(root_), 500 * 1024);
  put("sys/fs/cgroup/user/memory.max", "300000\n");
  put("sys/fs/cgroup/user/memory.current", "100000\n");
  put("sys/fs/cgroup/user/memory.stat", "anon 90000\ninactive_file 5000\n");
  EXPECT_EQ(free_memory(root_), 205000);
}

TEST_F(FreeMemory, KnowsTheFirstVersionOfGroups) {
  put("proc/self/cgroup", "5:cpu:/a\n4:memory:/a\n");
  put("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "4000\n");
  put("sys/fs/cgroup/memory/a/memory.usage_in_bytes", "5000\n");
  EXPECT_EQ(free_memory(root_), 0);
}

TEST_F(FreeMemory, SaysNothingWhereNothingIsKnown) {
  EXPECT_EQ(free_memory(root_ / "none"), std::numeric_limits<std::int64_t>::max());
  EXPECT_GT(free_memory(), 0);
}

}  // namespace
}  // namespace nephron::host
