#pragma once

#include <ATen/core/Tensor.h>

namespace nephron::host {

/// Bilinear upsampling by a whole factor, corners aligned: [N, C, H, W] -> [N, C, factor H, factor W].
/// Where LibTorch's deterministic algorithms are asked for on CUDA it is made of matrix products, because the gradient
/// of LibTorch's own kernel adds in any order there.
at::Tensor upsample_bilinear(const at::Tensor& map, std::int64_t factor);

/// The form by matrix products, on any device.
at::Tensor upsample_by_products(const at::Tensor& map, std::int64_t factor);

}  // namespace nephron::host
