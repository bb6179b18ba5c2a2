#pragma once

// nn/ is bound to the exact build, as tensors are (docs/plugins.md, rule 8).
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nephron/export.hpp>
#include <nephron/nn/build.hpp>
#include <nephron/torch.hpp>

namespace nephron::nn {

/// How a map is made larger. Bilinear and bicubic as torch.nn.functional.interpolate has them without align_corners;
/// area: each value is the mean of what it covers.
enum class Interpolation : std::uint8_t { nearest, bilinear, bicubic, area };

/// Their names, in order: for Schema's choices().
NEPHRON_API std::vector<std::string> interpolation_names();
/// Throws Error for a name that is none of them.
NEPHRON_API Interpolation interpolation_of(std::string_view name);

/// [N, C, h, w] -> [N, C, size[0], size[1]].
/// Where LibTorch's deterministic algorithms are asked for on CUDA, bilinear is made of matrix products, because the
/// gradient of LibTorch's own kernel adds in any order there.
NEPHRON_API at::Tensor resize(const at::Tensor& map, at::IntArrayRef size, Interpolation how);

/// Bilinear upsampling by a whole factor, corners aligned: [N, C, h, w] -> [N, C, factor h, factor w]. Deterministic
/// where resize() is.
NEPHRON_API at::Tensor upsample_bilinear(const at::Tensor& map, std::int64_t factor);

/// Bilinear by matrix products, on any device.
NEPHRON_API at::Tensor bilinear_by_products(const at::Tensor& map, at::IntArrayRef size, bool align_corners);

}  // namespace nephron::nn
