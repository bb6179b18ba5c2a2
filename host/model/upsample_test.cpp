#include <host/model/upsample.hpp>

#include <ATen/ops/randn.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/variable.h>

namespace nephron::host {
namespace {

// Both interpolate in float32: they differ by rounding, 1e-6 of values near 1 a sum of at most factor^2 terms.
TEST(Upsampling, ProductsEqualTheKernelForwardAndBackward) {
  for (const auto& [h, w, factor] : {std::tuple{5, 7, 2}, {8, 4, 4}, {1, 3, 8}}) {
    const at::Tensor map = at::randn({2, 3, h, w}).requires_grad_();
    const at::Tensor gradient = at::randn({2, 3, h * factor, w * factor});
    const at::Tensor kernel = upsample_bilinear(map, factor);
    kernel.backward(gradient);
    const at::Tensor expected = map.grad().clone();
    map.mutable_grad().reset();
    const at::Tensor products = upsample_by_products(map, factor);
    products.backward(gradient);
    ASSERT_EQ(products.sizes(), kernel.sizes());
    EXPECT_LT((products - kernel).abs().max().item<float>(), 1e-5F);
    EXPECT_LT((map.grad() - expected).abs().max().item<float>(), 1e-5F * static_cast<float>(factor * factor));
  }
}

}  // namespace
}  // namespace nephron::host
