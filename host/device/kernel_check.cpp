#include <host/device/kernel_check.hpp>

#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include <ATen/ops/empty.h>

#include <nephron/rng.hpp>

#include <host/cuda/distance.hpp>
#include <host/device/pixels.hpp>

namespace nephron::host {

namespace {

/// Sides that are no multiple of a block of threads.
at::Tensor random_bytes(at::IntArrayRef sizes, std::string_view what) {
  const at::Tensor out = at::empty(sizes, at::TensorOptions(c10::kByte));
  Rng rng(1, what);
  std::uint8_t* const bytes = out.mutable_data_ptr<std::uint8_t>();
  for (std::int64_t i = 0; i < out.numel(); ++i) bytes[i] = static_cast<std::uint8_t>(rng.bits());
  return out;
}

/// Masks with blobs, an empty one and a full one.
at::Tensor masks() {
  const at::Tensor out = at::empty({3, 2, 67, 129}, at::TensorOptions(c10::kFloat));
  float* const at = out.mutable_data_ptr<float>();
  Rng rng(1, "masks");
  const std::int64_t plane = out.size(2) * out.size(3), width = out.size(3);
  for (std::int64_t p = 0; p < 6; ++p) {
    const std::int64_t x = rng.integer(0, width - 1), y = rng.integer(0, 66), radius = rng.integer(3, 40);
    for (std::int64_t i = 0; i < plane; ++i) {
      const std::int64_t dx = i % width - x, dy = i / width - y;
      at[p * plane + i] = p == 4 ? 0.0F : p == 5 ? 1.0F : dx * dx + dy * dy < radius * radius ? 1.0F : 0.0F;
    }
  }
  return out;
}

template <class Run>
KernelCheck compared(std::string name, const at::Tensor& input, c10::Device device, double allowed, const Run& run) {
  const at::Tensor here = run(input), there = run(input.to(device)).to(c10::kCPU);  // both lie in memory alike
  const float* const a = here.const_data_ptr<float>();
  const float* const b = there.const_data_ptr<float>();
  double most = here.strides() == there.strides() ? 0 : std::numeric_limits<double>::infinity();
  for (std::int64_t i = 0; i < here.numel(); ++i) {
    const double apart = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    if (!(apart <= most)) most = apart;  // NaN too
  }
  return {std::move(name), here.numel(), most, allowed};
}

}  // namespace

std::vector<KernelCheck> check_kernels(c10::Device device) {
  const std::array<double, 3> mean{0.66437738, 0.50478148, 0.70114894}, deviation{0.15825711, 0.24371008, 0.13832686};
  const Normalise how = Normalise::of(mean, deviation);
  return {compared("normalise", random_bytes({3, 37, 65, 3}, "images"), device, 0,
                   [&](const at::Tensor& bytes) { return normalised(bytes, how); }),
          compared("targets", random_bytes({3, 2, 37, 65}, "labels"), device, 0, unit_floats),
          // The square root of a whole number: the nearest double on both, then rounded once.
          compared("distance", masks(), device, 0, distance_of)};
}

}  // namespace nephron::host
