#include <host/train/onednn_log.hpp>

#include <gtest/gtest.h>

namespace nephron::host {
namespace {

TEST(OneDnnLog, CallsAreReadAndCounted) {
  const std::string shape = "g1mb8_ic64oc32_ih64oh64kh3sh1dh0ph1_iw64ow64kw3sw1dw0pw1";
  const auto calls = onednn_calls(
      "onednn_verbose,v1,info,oneDNN v3.7.1\nsomething else\n"
      "onednn_verbose,v1,primitive,create:cache_miss,cpu,convolution,jit:avx2,forward_training,x,,alg," +
      shape +
      ",9\n"
      "onednn_verbose,v1,primitive,exec,cpu,convolution,jit:avx2,backward_data,src:f32::blocked:acdb::f0 "
      "wei:f32,attr-scratchpad:user,alg:convolution_direct," +
      shape + ",12.5\nonednn_verbose,v1,primitive,exec,cpu,reorder,jit:uni,undef,src:f32 dst:f32,,,64x64x3x3,0.25\n");
  ASSERT_EQ(calls.size(), 2U);
  EXPECT_EQ(calls[0].kind, "convolution");
  EXPECT_EQ(calls[0].direction, "backward_data");
  EXPECT_EQ(calls[0].kernel, "jit:avx2");
  EXPECT_EQ(calls[0].shape, shape);
  EXPECT_DOUBLE_EQ(calls[0].seconds, 0.0125);
  EXPECT_EQ(calls[1].kind, "reorder");
  EXPECT_NEAR(gflops_of(shape), 2e-9 * 8 * 64 * 32 * 64 * 64 * 9, 1e-12);
  EXPECT_NEAR(gflops_of("g32mb2_ic32oc32_ih8oh8kh3_iw8ow8kw3"), 2e-9 * 2 * 32 * 64 * 9, 1e-12);
}

}  // namespace
}  // namespace nephron::host
