#include <host/device/pixels.hpp>

#include <vector>

#include <ATen/ops/from_blob.h>
#include <gtest/gtest.h>

namespace nephron::host {
namespace {

// Whole registers of pixels and what is left of them give the bits of the body.
TEST(Pixels, AreNormalisedByTheBody) {
  const Normalise how = Normalise::of({0.66, 0.5, 0.7}, {0.16, 0.24, 0.14});
  for (const std::int64_t width : {1, 7, 8, 37}) {
    const std::int64_t pixels = 2 * 3 * width;
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(3 * pixels));
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(41 * i + i / 7);
    std::vector<float> expected(bytes.size());
    for (std::int64_t i = 0; i < pixels; ++i) how(bytes.data(), expected.data(), i);
    const at::Tensor out =
        normalised(at::from_blob(bytes.data(), {2, 3, width, 3}, at::TensorOptions().dtype(c10::kByte)), how);
    ASSERT_EQ(out.sizes(), (at::IntArrayRef{2, 3, 3, width}));
    const at::Tensor interleaved = out.permute({0, 2, 3, 1}).contiguous();
    EXPECT_EQ(std::vector<float>(interleaved.data_ptr<float>(), interleaved.data_ptr<float>() + expected.size()),
              expected);
  }
}

}  // namespace
}  // namespace nephron::host
