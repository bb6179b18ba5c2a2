#include "winograd_training.hpp"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include <ATen/TracerMode.h>
#include <ATen/autocast_mode.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>
#include <ATen/record_function.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>

#include "../on_threads.hpp"
#include "winograd_job.hpp"

namespace nephron::nn {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr auto channels_last = at::MemoryFormat::ChannelsLast;

at::TensorOptions floats() { return at::TensorOptions().dtype(at::kFloat); }
at::Tensor empty_map(std::int64_t n, std::int64_t c, std::int64_t h, std::int64_t w, const at::Tensor& like) {
  return at::empty({n, c, h, w}, like.options().memory_format(channels_last));
}

std::int64_t whole_vectors(std::int64_t n, const TileKernels& kernels) {
  return (n + kernels.lanes - 1) / kernels.lanes * kernels.lanes;
}

/// Weights at the points, from [channels][9][outputs].
at::Tensor packed(const at::Tensor& taps, bool turned, const TileKernels& kernels) {
  const std::int64_t channels = taps.size(0), outputs = taps.size(3), all = whole_vectors(outputs, kernels),
                     panel = panel_of(all, kernels);
  const at::Tensor out = at::empty({winograd_points * channels * all}, floats());
  const float* const from = taps.const_data_ptr<float>();
  float* const to = out.mutable_data_ptr<float>();
  on_threads(channels, 4, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t k = begin; k < end; ++k)
      kernels.pack(from + k * 9 * outputs, outputs, turned, panel, to + k * panel, channels * all, channels * panel);
  });
  return out;
}

void run(TileJob& job, const at::Tensor& weights, std::int64_t images, const TileKernels& kernels) {
  job.outputs = whole_vectors(job.outs[0].channels + job.outs[1].channels, kernels);
  job.panel = panel_of(job.outputs, kernels);
  job.weights = weights.const_data_ptr<float>();
  const at::Tensor none = at::zeros({std::max(job.channels, job.outputs)}, floats());
  job.bias = job.zeros = none.const_data_ptr<float>();
  run_job(job, kernels, tiles_of(images, job.height, job.width));
}

at::Tensor forward_of(const TrainedConv& conv) {
  const TileKernels& kernels = *tile_kernels();
  TileJob job = job_of(conv.map, conv.doubled, conv.joined);
  const at::Tensor out = empty_map(conv.map.size(0), conv.weight.size(0), job.height, job.width, conv.map);
  job.outs[0] = {out.mutable_data_ptr(), out.size(1), false};
  run(job, packed(conv.weight.permute({1, 2, 3, 0}).contiguous(), /*turned=*/false, kernels), out.size(0), kernels);
  return out;
}

/// Gradients of the map and of what is joined to it: the convolution of the gradient with the kernels turned.
std::pair<at::Tensor, at::Tensor> gradients_of_maps(const TrainedConv& conv, const at::Tensor& gradient) {
  const TileKernels& kernels = *tile_kernels();
  TileJob job = job_of(gradient, false, {});
  const at::Tensor of_map = at::empty_like(conv.map, conv.map.options().memory_format(channels_last));
  at::Tensor of_joined;
  job.outs[0] = {of_map.mutable_data_ptr(), of_map.size(1), conv.doubled};
  if (conv.joined.defined()) {
    of_joined = at::empty_like(conv.joined, conv.joined.options().memory_format(channels_last));
    job.outs[1] = {of_joined.mutable_data_ptr(), of_joined.size(1), false};
  }
  run(job, packed(conv.weight.permute({0, 2, 3, 1}).contiguous(), /*turned=*/true, kernels), of_map.size(0), kernels);
  return {of_map, of_joined};
}

/// Tiles whose values at the points are held at once.
std::int64_t tiles_at_once(const TileJob& job, std::int64_t tiles) {
  constexpr std::int64_t floats_held = std::int64_t{5} << 19;  // of all points: what is read of one fits into a cache
  return std::clamp<std::int64_t>(floats_held / (winograd_points * (job.channels + job.outputs)), 32, tiles);
}

at::Tensor gradient_of_weight(const TrainedConv& conv, const at::Tensor& gradient) {
  RECORD_FUNCTION("nephron.winograd_weight", std::vector<c10::IValue>{});
  const TileKernels& kernels = *tile_kernels();
  TileJob job = job_of(conv.map, conv.doubled, conv.joined);
  job.outputs = gradient.size(1);
  const at::Tensor none = at::zeros({job.channels}, floats());
  job.zeros = none.const_data_ptr<float>();
  const std::int64_t c = job.channels, row = whole_vectors(c, kernels), o = job.outputs,
                     tiles = tiles_of(gradient.size(0), job.height, job.width);
  const std::int64_t at_once = tiles_at_once(job, std::max<std::int64_t>(tiles, 32));
  const at::Tensor held =
      at::empty({winograd_points * (point_stride(at_once, row) + point_stride(at_once, o))}, floats());
  const at::Tensor sums = at::zeros({winograd_points, o, row}, floats());
  for (std::int64_t first = 0; first < tiles; first += at_once) {
    const std::int64_t count = std::min(at_once, tiles - first);
    float* const v = held.mutable_data_ptr<float>();
    float* const g = v + winograd_points * point_stride(count, row);
    on_threads(count, 8, [&](std::int64_t begin, std::int64_t end) {
      kernels.at_points(job, {gradient.const_data_ptr(), v, g, row, first, count}, begin, end);
    });
    on_threads(winograd_points, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t p = begin; p < end; ++p)
        kernels.add_products(v + p * point_stride(count, row), g + p * point_stride(count, o), count, row, o,
                             sums.mutable_data_ptr<float>() + p * o * row);
    });
  }
  const at::Tensor out = at::empty({o, 3, 3, c}, floats());
  on_threads(o, 4, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t k = begin; k < end; ++k)
      kernels.unpack(sums.const_data_ptr<float>() + k * row, c, o * row, out.mutable_data_ptr<float>() + k * 9 * c);
  });
  return out.permute({0, 3, 1, 2});
}

/// Products of bfloat16 are twice as fast in oneDNN: transforms and sums have to be a small part (docs/performance.md).
bool weights_by_filtering(const TrainedConv& conv) {
  if (conv.map.scalar_type() == at::kFloat || conv.doubled || conv.joined.defined()) return true;
  return conv.map.size(1) == 64 && conv.weight.size(0) == 64;
}

at::Tensor by_onednn(const TrainedConv& conv, const at::Tensor& gradient) {
  const at::Tensor weight = conv.weight.to(conv.map.scalar_type());
  const auto gradients = at::convolution_backward(gradient, conv.map, weight, at::OptionalIntArrayRef(), {1, 1}, {1, 1},
                                                  {1, 1}, false, {0, 0}, 1, {false, true, false});
  return std::get<1>(gradients).to(at::kFloat);
}

struct Filtered : torch::autograd::Function<Filtered> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& map, const std::optional<at::Tensor>& joined,
                            const at::Tensor& weight, bool doubled) {
    RECORD_FUNCTION("nephron.winograd", std::vector<c10::IValue>{});
    context->save_for_backward({map, joined.value_or(at::Tensor()), weight});
    context->saved_data["doubled"] = doubled;
    return forward_of({map, doubled, joined.value_or(at::Tensor()), weight});
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    TORCH_CHECK(!c10::GradMode::is_enabled(), "a convolution by minimal filtering has no second derivative");
    const variable_list saved = context->get_saved_variables();
    const TrainedConv conv{saved[0], context->saved_data["doubled"].toBool(), saved[1], saved[2]};
    const at::Tensor gradient = gradients[0].to(conv.map.scalar_type()).contiguous(channels_last);
    at::Tensor of_map, of_joined, of_weight;
    // Edges are of the tensors that there are.
    const bool joined = conv.joined.defined();
    if (context->needs_input_grad(0) || (joined && context->needs_input_grad(1))) {
      RECORD_FUNCTION("nephron.winograd_input", std::vector<c10::IValue>{});
      std::tie(of_map, of_joined) = gradients_of_maps(conv, gradient);
    }
    if (context->needs_input_grad(joined ? 2 : 1)) {
      of_weight = weights_by_filtering(conv) ? gradient_of_weight(conv, gradient) : by_onednn(conv, gradient);
    }
    return {of_map, of_joined, of_weight, at::Tensor()};
  }
};

/// As autocast would hand it to a convolution.
at::Tensor as_computed(const at::Tensor& map) {
  const bool lower = at::autocast::is_autocast_enabled(c10::kCPU);
  const at::Tensor t = lower ? map.to(at::autocast::get_autocast_dtype(c10::kCPU)) : map;
  return t.contiguous(channels_last);
}

/// The type that a map is computed in; nothing where that is none of the two that there are kernels for.
std::optional<c10::ScalarType> computed_type(const at::Tensor& map) {
  const c10::ScalarType type =
      at::autocast::is_autocast_enabled(c10::kCPU) ? at::autocast::get_autocast_dtype(c10::kCPU) : map.scalar_type();
  if (map.scalar_type() == at::kDouble || (type != at::kFloat && type != at::kBFloat16)) return std::nullopt;
  return type;
}

/// Whether it is faster than oneDNN's own convolution, by measurement (docs/performance.md).
bool pays(const TrainedConv& conv, c10::ScalarType type) {
  const std::int64_t scale = conv.doubled ? 2 : 1;
  const std::int64_t tiles = tiles_of(conv.map.size(0), scale * conv.map.size(2), scale * conv.map.size(3));
  // Of few tiles, weights at the points are more than what they are multiplied with; to few outputs, a doubled map is
  // convolved as fast by its phases (upsampled_conv3x3()).
  if (type == at::kFloat) return tiles >= 64 && (!conv.doubled || conv.weight.size(0) >= 32);
  // Its products of bfloat16 are twice as fast as products of floats: transforms have to be a small part.
  return !conv.doubled && tiles >= 256 && conv.map.size(1) >= 64 && conv.weight.size(0) >= 64;
}

}  // namespace

bool trains_by_filtering(const TrainedConv& conv) {
  const TileKernels* const kernels = tile_kernels();
  if (kernels == nullptr || !c10::GradMode::is_enabled() || at::tracer::impl::is_dispatch_enabled()) return false;
  if (!conv.map.is_cpu() || conv.weight.scalar_type() != at::kFloat) return false;
  const std::optional<c10::ScalarType> type = computed_type(conv.map);
  const std::int64_t lanes = kernels->lanes, channels = conv.map.size(1);
  return type && conv.weight.size(0) % lanes == 0 && channels >= lanes &&
         (!conv.joined.defined() || channels % lanes == 0) && pays(conv, *type);
}

at::Tensor filtered_conv(const TrainedConv& conv) {
  std::optional<at::Tensor> joined;  // an undefined tensor cannot enter an autograd function
  if (conv.joined.defined()) joined = as_computed(conv.joined);
  return Filtered::apply(as_computed(conv.map), joined, conv.weight, conv.doubled);
}

}  // namespace nephron::nn
