#include <nephron/loss_input.hpp>

#include <ATen/ops/empty.h>

#include <nephron/draft/distance_passes.hpp>

#include "on_threads.hpp"

namespace nephron {

namespace {

template <class Pass>
void for_each(std::int64_t n, const draft::DistancePlanes& planes, const Pass& pass) {
  on_threads(n, /*grain=*/64, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) pass(planes, i);
  });
}

}  // namespace

at::Tensor signed_distance(const at::Tensor& target) {
  if (target.dim() != 4) throw Error("signed_distance takes masks [N, C, H, W]");
  const at::Tensor on_cpu = target.detach().to(c10::kCPU, c10::kFloat).contiguous();
  const at::Tensor out = at::empty(on_cpu.sizes(), on_cpu.options());
  if (out.numel() == 0) return out.to(target.device());
  const at::Tensor room = at::empty({4, on_cpu.numel()}, on_cpu.options().dtype(c10::kInt));
  const draft::DistancePlanes planes{.target = on_cpu.const_data_ptr<float>(),
                                     .down = room.mutable_data_ptr<std::int32_t>(),
                                     .hull = room.mutable_data_ptr<std::int32_t>() + 2 * on_cpu.numel(),
                                     .out = out.mutable_data_ptr<float>(),
                                     .planes = on_cpu.size(0) * on_cpu.size(1),
                                     .height = on_cpu.size(2),
                                     .width = on_cpu.size(3)};
  for_each(planes.planes * planes.width, planes, draft::ColumnPass{});
  for_each(planes.planes * planes.height, planes, draft::RowPass{});
  return out.to(target.device());
}

}  // namespace nephron
