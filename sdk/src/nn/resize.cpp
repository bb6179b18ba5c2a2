#include <nephron/nn/resize.hpp>

#include <algorithm>

#include <ATen/Context.h>
#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/upsample_bicubic2d.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <ATen/ops/upsample_nearest2d.h>

#include <nephron/error.hpp>

namespace nephron::nn {

namespace {

/// [out, in]: how much each place of a line of `in` gives to each of `out`. Made on the device: nothing waits.
at::Tensor line_weights(std::int64_t in, std::int64_t out, bool align_corners, const at::TensorOptions& options) {
  const at::TensorOptions floats = options.dtype(c10::kFloat);
  const auto last = static_cast<double>(in - 1);
  at::Tensor position = at::arange(out, floats);
  if (align_corners) {
    position.mul_(out > 1 ? last / static_cast<double>(out - 1) : 0);
  } else {
    position.add_(0.5).mul_(static_cast<double>(in) / static_cast<double>(out)).sub_(0.5).clamp_(0, last);
  }
  const at::Tensor distance = (position.unsqueeze(1) - at::arange(in, floats).unsqueeze(0)).abs_();
  return at::clamp(1 - distance, 0).to(options.dtype());
}

at::Tensor bilinear(const at::Tensor& map, at::IntArrayRef size, bool align_corners) {
  if (map.is_cuda() && at::globalContext().deterministicAlgorithms())
    return bilinear_by_products(map, size, align_corners);
  return at::upsample_bilinear2d(map, size, align_corners);
}

}  // namespace

std::vector<std::string> interpolation_names() { return {"nearest", "bilinear", "bicubic", "area"}; }

Interpolation interpolation_of(std::string_view name) {
  const std::vector<std::string> names = interpolation_names();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) throw Error("there is no interpolation called \"" + std::string(name) + "\"");
  return static_cast<Interpolation>(found - names.begin());
}

at::Tensor bilinear_by_products(const at::Tensor& map, at::IntArrayRef size, bool align_corners) {
  const at::Tensor rows = line_weights(map.size(2), size[0], align_corners, map.options()),
                   columns = line_weights(map.size(3), size[1], align_corners, map.options());
  return at::matmul(at::matmul(rows, map), columns.t());
}

at::Tensor upsample_bilinear(const at::Tensor& map, std::int64_t factor) {
  return bilinear(map, {map.size(2) * factor, map.size(3) * factor}, /*align_corners=*/true);
}

at::Tensor resize(const at::Tensor& map, at::IntArrayRef size, Interpolation how) {
  switch (how) {
    case Interpolation::nearest:
      return at::upsample_nearest2d(map, size);
    case Interpolation::bilinear:
      return bilinear(map, size, /*align_corners=*/false);
    case Interpolation::bicubic:
      return at::upsample_bicubic2d(map, size, /*align_corners=*/false);
    case Interpolation::area:
      return at::adaptive_avg_pool2d(map, size);
  }
  return map;
}

}  // namespace nephron::nn
