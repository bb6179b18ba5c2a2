#include <host/model/upsample.hpp>

#include <ATen/Context.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/upsample_bilinear2d.h>

namespace nephron::host {

namespace {

/// [out, in]: how much each place of a line of `in` gives to each of `out`. Made on the device: nothing waits.
at::Tensor line_weights(std::int64_t in, std::int64_t out, const at::TensorOptions& options) {
  const at::TensorOptions floats = options.dtype(c10::kFloat);
  const double scale = out > 1 ? static_cast<double>(in - 1) / static_cast<double>(out - 1) : 0;
  const at::Tensor position = at::arange(out, floats).mul_(scale).unsqueeze(1);
  const at::Tensor distance = (position - at::arange(in, floats).unsqueeze(0)).abs_();
  return at::clamp(1 - distance, 0).to(options.dtype());
}

}  // namespace

at::Tensor upsample_by_products(const at::Tensor& map, std::int64_t factor) {
  const std::int64_t h = map.size(2), w = map.size(3);
  const at::Tensor rows = line_weights(h, factor * h, map.options()),
                   columns = line_weights(w, factor * w, map.options());
  return at::matmul(at::matmul(rows, map), columns.t());
}

at::Tensor upsample_bilinear(const at::Tensor& map, std::int64_t factor) {
  if (map.is_cuda() && at::globalContext().deterministicAlgorithms()) return upsample_by_products(map, factor);
  return at::upsample_bilinear2d(map, {map.size(2) * factor, map.size(3) * factor}, /*align_corners=*/true);
}

}  // namespace nephron::host
