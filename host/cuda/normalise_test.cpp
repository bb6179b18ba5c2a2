#include <host/cuda/normalise.hpp>

#include <vector>

#include <gtest/gtest.h>

#include <host/cuda/load.hpp>

namespace nephron::host {
namespace {

TEST(Normalise, EveryByteOfEveryChannel) {
  const std::array<double, 3> mean{0.66437738, 0.50478148, 0.70114894}, deviation{0.15825711, 0.24371008, 0.13832686};
  const Normalise normalise = Normalise::of(mean, deviation);
  for (int v = 0; v < 256; ++v) {
    const std::vector<std::uint8_t> in(6, static_cast<std::uint8_t>(v));
    std::vector<float> out(6, -99);
    normalise(in.data(), out.data(), 1);
    EXPECT_EQ(out[0], -99) << "wrote outside its pixel";
    for (std::size_t c = 0; c < 3; ++c)
      EXPECT_NEAR(out[3 + c], (v / 255.0 - mean[c]) / deviation[c], 2e-6) << "byte " << v << ", channel " << c;
  }
}

TEST(Targets, EndsAreExact) {
  const std::vector<std::uint8_t> in{0, 255, 51};
  std::vector<float> out(3, -1);
  for (int i = 0; i < 3; ++i) Targets{}(in.data(), out.data(), i);
  EXPECT_EQ(out[0], 0);
  EXPECT_EQ(out[1], 1);
  EXPECT_FLOAT_EQ(out[2], 0.2F);
}

TEST(Cuda, SaysWhyItIsNotThere) {
  std::string why;
  if (cuda_kernels(&why) != nullptr) {
    EXPECT_EQ(why, "");
    return;
  }
  EXPECT_NE(why, "");
  EXPECT_EQ(cuda_kernels(), nullptr) << "the second call must not change its mind";
}

}  // namespace
}  // namespace nephron::host
