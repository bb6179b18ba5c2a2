#pragma once

// nn/ is bound to the exact build, as tensors are (docs/plugins.md, rule 8).
#include <nephron/export.hpp>
#include <nephron/nn/build.hpp>
#include <nephron/torch.hpp>

namespace nephron::nn {

/// conv3x3(concat(upsample(x), skip), weight) with padding 1 and nearest-neighbour upsampling by 2, without making the
/// upsampled or the joined map. Each output pixel's phase (even or odd row and column) sees only a 2x2 patch of x, so
/// 16 multiplications do the work of 36. Equal to the plain form but for rounding; differentiable in all three.
///
/// x [N, Cx, H, W]; skip [N, Cs, 2H, 2W] or undefined (Cs = 0); weight [O, Cx + Cs, 3, 3], x's channels first.
/// Returns [N, O, 2H, 2W] in channels_last. Any floating type, any device; works under autocast.
NEPHRON_API at::Tensor upsampled_conv3x3(const at::Tensor& x, const at::Tensor& skip, const at::Tensor& weight);

}  // namespace nephron::nn
