#include <nephron/nn/resize.hpp>

#include <ATen/ops/randn.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/variable.h>

#include <nephron/error.hpp>

namespace nephron::nn {
namespace {

// Both interpolate in float32: they differ by rounding, 1e-6 of values near 1 a sum of at most factor^2 terms.
TEST(Resize, ProductsEqualTheKernelForwardAndBackward) {
  for (const bool align_corners : {true, false})
    for (const auto& [h, w, factor] : {std::tuple{5, 7, 2}, {8, 4, 4}, {1, 3, 8}}) {
      const std::vector<std::int64_t> size{h * factor, w * factor};
      const at::Tensor map = at::randn({2, 3, h, w}).requires_grad_();
      const at::Tensor gradient = at::randn({2, 3, size[0], size[1]});
      const at::Tensor kernel = at::upsample_bilinear2d(map, size, align_corners);
      kernel.backward(gradient);
      const at::Tensor expected = map.grad().clone();
      map.mutable_grad().reset();
      const at::Tensor products = bilinear_by_products(map, size, align_corners);
      products.backward(gradient);
      ASSERT_EQ(products.sizes(), kernel.sizes());
      EXPECT_LT((products - kernel).abs().max().item<float>(), 1e-5F);
      EXPECT_LT((map.grad() - expected).abs().max().item<float>(), 1e-5F * static_cast<float>(factor * factor));
    }
}

TEST(Resize, AlignsCornersWhereItSaysSo) {
  const at::Tensor map = at::randn({1, 2, 3, 5});
  const at::Tensor aligned = upsample_bilinear(map, 2);
  EXPECT_TRUE(aligned.equal(at::upsample_bilinear2d(map, {6, 10}, true)));
  EXPECT_TRUE(resize(map, {6, 10}, Interpolation::bilinear).equal(at::upsample_bilinear2d(map, {6, 10}, false)));
}

TEST(Resize, EveryNameIsAnInterpolation) {
  const at::Tensor map = at::randn({1, 2, 3, 5});
  for (const std::string& name : interpolation_names())
    EXPECT_EQ(resize(map, {6, 10}, interpolation_of(name)).sizes(), (at::IntArrayRef{1, 2, 6, 10})) << name;
  EXPECT_THROW(interpolation_of("linear"), Error);
}

}  // namespace
}  // namespace nephron::nn
