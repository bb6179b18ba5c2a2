#include "narrow_conv.hpp"

#include <algorithm>
#include <cstddef>

#include <ATen/ops/empty.h>
#include <ATen/record_function.h>

#include "../on_threads.hpp"

namespace nephron::nn {

bool NarrowConv::suits(const at::Tensor& weight) {
  const NarrowKernels* const kernels = narrow_kernels();
  return kernels != nullptr && weight.size(2) == 3 && weight.size(3) == 3 && weight.size(0) <= most_narrow_outputs &&
         weight.size(1) % kernels->lanes == 0;
}

NarrowConv::NarrowConv(const at::Tensor& weight, const at::Tensor& bias)
    : kernels_(*narrow_kernels()),
      channels_(weight.size(1)),
      outputs_(weight.size(0)),
      bias_(static_cast<std::size_t>(outputs_)) {
  // [O, vectors, lanes, 9] to [9, vectors, O, lanes].
  const at::Tensor packed = weight.to(at::kFloat)
                                .reshape({outputs_, channels_ / kernels_.lanes, kernels_.lanes, 9})
                                .permute({3, 1, 0, 2})
                                .contiguous();
  const float* const values = packed.const_data_ptr<float>();
  weights_.assign(values, values + packed.numel());
  if (!bias.defined()) return;
  const at::Tensor added = bias.to(at::kFloat).contiguous();
  std::copy_n(added.const_data_ptr<float>(), outputs_, bias_.begin());
}

at::Tensor NarrowConv::forward(const at::Tensor& map) const {
  RECORD_FUNCTION("nephron.narrow", std::vector<c10::IValue>{});
  TORCH_CHECK(map.size(1) == channels_, "a frozen convolution of ", channels_, " channels got a map of ", map.size(1));
  NarrowJob job;
  job.bfloat16 = map.scalar_type() == at::kBFloat16;
  job.height = map.size(2), job.width = map.size(3);
  job.channels = channels_, job.outputs = outputs_;
  job.from = map.const_data_ptr();
  job.weights = weights_.data(), job.bias = bias_.data();
  const at::Tensor out = at::empty({map.size(0), outputs_, job.height, job.width},
                                   map.options().memory_format(at::MemoryFormat::ChannelsLast));
  job.to = out.mutable_data_ptr();
  on_threads(map.size(0) * job.height, 8, [&](std::int64_t begin, std::int64_t end) {
    for (; begin < end; ++begin) kernels_.run(job, begin);
  });
  return out;
}

}  // namespace nephron::nn
