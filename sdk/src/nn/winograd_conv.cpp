#include "winograd_conv.hpp"

#include <algorithm>
#include <cstddef>

#include <ATen/ops/empty.h>
#include <ATen/record_function.h>

#include "../on_threads.hpp"
#include "winograd_job.hpp"

namespace nephron::nn {

namespace {

constexpr std::int64_t taps = 9;

/// How the three taps of a kernel are read at the six points, along one axis.
struct Points {
  double of[6][3];
  constexpr Points() : of() {
    const double a = static_cast<double>(point_a), b = static_cast<double>(point_b);
    of[0][0] = 1 / (a * a * b * b);
    of[5][2] = 1;
    set(1, a, b), set(2, -a, b), set(3, b, a), set(4, -b, a);
  }
  constexpr void set(int row, double at, double other) {
    const double scale = 1 / (2 * at * at * (at * at - other * other));
    of[row][0] = scale, of[row][1] = scale * at, of[row][2] = scale * at * at;
  }
};

/// One kernel [3, 3] at the 36 points.
void at_points(const float* kernel, double* out) {
  static constexpr Points points;
  double half[6][3];
  for (int i = 0; i < 6; ++i)
    for (int q = 0; q < 3; ++q) {
      half[i][q] = 0;
      for (int p = 0; p < 3; ++p) half[i][q] += points.of[i][p] * static_cast<double>(kernel[3 * p + q]);
    }
  for (int i = 0; i < 6; ++i)
    for (int j = 0; j < 6; ++j) {
      double sum = 0;
      for (int q = 0; q < 3; ++q) sum += half[i][q] * points.of[j][q];
      out[6 * i + j] = sum;
    }
}

}  // namespace

bool WinogradConv::suits(const at::Tensor& weight) {
  const TileKernels* const kernels = tile_kernels();
  // Of few channels a vector is mostly empty, and the transforms cost more than the products that they save.
  return kernels != nullptr && weight.size(2) == 3 && weight.size(3) == 3 && weight.size(0) % kernels->lanes == 0 &&
         weight.size(1) >= kernels->lanes;
}

WinogradConv::WinogradConv(const at::Tensor& weight, const at::Tensor& bias)
    : kernels_(*tile_kernels()),
      channels_(weight.size(1)),
      outputs_(weight.size(0)),
      panel_(panel_of(outputs_, kernels_)),
      bias_(static_cast<std::size_t>(outputs_)),
      zeros_(static_cast<std::size_t>(channels_)) {
  const at::Tensor floats = weight.to(at::kFloat).contiguous();
  pack(floats.const_data_ptr<float>());
  if (!bias.defined()) return;
  const at::Tensor added = bias.to(at::kFloat).contiguous();
  std::copy_n(added.const_data_ptr<float>(), outputs_, bias_.begin());
}

void WinogradConv::pack(const float* weight) {
  weights_.resize(static_cast<std::size_t>(winograd_points * channels_ * outputs_));
  on_threads(outputs_ / panel_, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t panel = begin; panel < end; ++panel)
      for (std::int64_t k = 0; k < channels_; ++k)
        for (std::int64_t i = 0; i < panel_; ++i) {
          double values[winograd_points];
          at_points(weight + ((panel * panel_ + i) * channels_ + k) * taps, values);
          float* const to = weights_.data() + (panel * channels_ + k) * panel_ + i;
          for (std::int64_t p = 0; p < winograd_points; ++p)
            to[p * channels_ * outputs_] = static_cast<float>(values[p]);
        }
  });
}

at::Tensor WinogradConv::forward(const Input& input) const {
  RECORD_FUNCTION("nephron.winograd", std::vector<c10::IValue>{});
  const at::Tensor& map = input.map;
  const std::int64_t n = map.size(0);
  TileJob job = job_of(map, input.doubled, input.joined);
  job.outputs = outputs_, job.panel = panel_;
  TORCH_CHECK(job.channels == channels_, "a frozen convolution of ", channels_, " channels got a map of ",
              job.channels);
  job.weights = weights_.data(), job.bias = bias_.data(), job.zeros = zeros_.data();
  if (input.more.defined()) job.more = input.more.const_data_ptr();
  job.relu = input.relu;
  const at::Tensor out =
      at::empty({n, outputs_, job.height, job.width}, map.options().memory_format(at::MemoryFormat::ChannelsLast));
  job.outs[0] = {out.mutable_data_ptr(), outputs_, false};
  run_job(job, kernels_, tiles_of(n, job.height, job.width));
  return out;
}

}  // namespace nephron::nn
