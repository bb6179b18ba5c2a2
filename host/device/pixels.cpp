#include <host/device/pixels.hpp>

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <host/cuda/load.hpp>

namespace nephron::host {

namespace {

/// The loop that stands for the kernel.
template <class Body>
void each(const Body& body, const at::Tensor& in, const at::Tensor& out, std::int64_t n) {
  const std::uint8_t* const from = in.const_data_ptr<std::uint8_t>();
  float* const to = out.mutable_data_ptr<float>();
  at::parallel_for(0, n, /*grain_size=*/1 << 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) body(from, to, i);
  });
}

at::Tensor floats_like(const at::Tensor& bytes) {
  return at::empty(bytes.sizes(), at::TensorOptions().dtype(c10::kFloat).device(bytes.device()));
}

}  // namespace

at::Tensor normalised(const at::Tensor& bytes, const Normalise& how) {
  const at::Tensor pixels = floats_like(bytes);
  if (bytes.is_cuda()) loaded_kernels().normalise(bytes, how, pixels);
  else each(how, bytes, pixels, bytes.numel() / 3);
  return pixels.permute({0, 3, 1, 2});  // channels_last as it lies
}

at::Tensor unit_floats(const at::Tensor& bytes) {
  const at::Tensor out = floats_like(bytes);
  if (bytes.is_cuda()) loaded_kernels().targets(bytes, out);
  else each(Targets{}, bytes, out, bytes.numel());
  return out;
}

}  // namespace nephron::host
