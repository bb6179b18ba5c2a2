#include <host/model/memory_need.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <limits>

#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

#include <nephron/error.hpp>

#include <host/cuda/load.hpp>
#include <host/model/meter.hpp>
#include <host/util/free_memory.hpp>
#include <host/util/log.hpp>

namespace nephron::host {

namespace {

std::int64_t bytes_of(const std::vector<at::Tensor>& tensors) {
  std::int64_t sum = 0;
  for (const at::Tensor& t : tensors) sum += static_cast<std::int64_t>(t.nbytes());
  return sum;
}

std::string gigabytes(std::int64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f GB", static_cast<double>(bytes) / 1e9);
  return text;
}

}  // namespace

PassMemory measure_pass(SegmentationModel& model, std::int64_t channels, bool training, std::int64_t tiles) {
  model.train(training);
  const std::int64_t small = std::max<std::int64_t>(64, model.multiple());
  const std::array<std::int64_t, 2> sides{small, 2 * small};
  std::array<std::int64_t, 2> bytes{};
  const bool again = training && model.recomputes();
  // Blocks that are run again hold what they need one after the other, in the backward pass: that is measured too, once
  // gradients of parameters, which are counted elsewhere, have their memory.
  if (again) run_backward(model.forward(at::zeros({tiles, channels, small, small})).sum());
  for (std::size_t i = 0; i < sides.size(); ++i) {
    // As training and prediction have it by default: some layers keep less then.
    const at::Tensor input =
        at::zeros({tiles, channels, sides[i], sides[i]}).contiguous(at::MemoryFormat::ChannelsLast);
    at::Tensor logits;  // holds what the backward will read
    const Measured measured = measure([&] {
      const c10::AutoGradMode grad(training);
      logits = model.forward(input);
      if (again) run_backward(logits.sum());
    });
    bytes[i] = training && !again ? measured.held : measured.peak;
  }
  const auto pixels = [tiles](std::int64_t side) { return static_cast<double>(tiles * side * side); };
  PassMemory out;
  out.per_pixel = std::max(0.0, static_cast<double>(bytes[1] - bytes[0]) / (pixels(sides[1]) - pixels(sides[0])));
  out.parameters = bytes_of(model.parameters()) + bytes_of(model.buffers());
  return out;
}

std::int64_t free_on(c10::Device device) {
  if (device.is_cpu()) return free_memory();
  const CudaKernels* const kernels = cuda_kernels();
  return kernels != nullptr ? kernels->free_memory(device) : std::numeric_limits<std::int64_t>::max();
}

void require_memory(const std::string& what, std::int64_t need, std::int64_t free, const std::string& lower) {
  // The estimate may be off by a third or so: what it refuses cannot work, what it warns of may.
  constexpr double hopeless = 1.5, near = 0.8;
  const double share = static_cast<double>(need) / static_cast<double>(std::max<std::int64_t>(1, free));
  if (share <= near) return;
  const std::string text =
      what + " needs about " + gigabytes(need) + " of memory, and " + gigabytes(free) + " are free";
  if (share > hopeless) throw Error(text, lower);
  log().warning(text + ": it may be ended for want of memory. " + lower);
}

}  // namespace nephron::host
