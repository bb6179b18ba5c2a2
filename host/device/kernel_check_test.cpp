#include <host/device/kernel_check.hpp>

#include <filesystem>

#include <gtest/gtest.h>

#include <host/device/device.hpp>

namespace nephron::host {
namespace {

void expect_equal(c10::Device device) {
  const std::vector<KernelCheck> checks = check_kernels(device);
  EXPECT_EQ(checks.size(), 3U);
  for (const KernelCheck& check : checks) {
    EXPECT_GT(check.elements, 10000) << check.name;
    EXPECT_LE(check.difference, check.allowed) << check.name;
  }
}

TEST(KernelCheck, LoopsGiveTheSameTwice) { expect_equal(c10::kCPU); }

TEST(KernelCheck, KernelsGiveTheBitsOfTheirBodies) {
  std::string why = "no NVIDIA driver here";
  if (!std::filesystem::exists("/dev/nvidiactl") || !cuda_available(&why)) GTEST_SKIP() << why;
  expect_equal(c10::Device(c10::kCUDA, 0));
}

}  // namespace
}  // namespace nephron::host
