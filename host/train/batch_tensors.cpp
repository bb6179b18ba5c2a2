#include <host/train/batch_tensors.hpp>

#include <cstring>

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <nephron/error.hpp>

#include <host/cuda/load.hpp>

namespace nephron::host {

namespace {

template <class T>
at::Tensor view(const std::vector<T>& values, at::IntArrayRef sizes, c10::ScalarType type) {
  std::int64_t n = 1;
  for (const std::int64_t s : sizes) n *= s;
  if (static_cast<std::int64_t>(values.size()) < n)
    throw Error("a batch holds " + std::to_string(values.size()) + " values where " + std::to_string(n) +
                " were expected");
  return at::from_blob(const_cast<T*>(values.data()), sizes, at::TensorOptions().dtype(type));
}

/// A copy on the device. On CUDA it goes through pinned memory and does not wait: LibTorch's allocator of pinned memory
/// keeps the block from being used again until the copy is over, so that blocks go round as in a ring.
at::Tensor copied(const at::Tensor& pageable, c10::Device device) {
  if (device.is_cpu()) return pageable.clone();
  const at::Tensor pinned = at::empty(pageable.sizes(), pageable.options().pinned_memory(true));
  std::memcpy(pinned.mutable_data_ptr(), pageable.const_data_ptr(), pageable.nbytes());
  return pinned.to(device, pageable.scalar_type(), /*non_blocking=*/true);
}

/// The loop that stands for the kernel.
template <class Body>
void each(const Body& body, const at::Tensor& in, const at::Tensor& out, std::int64_t n) {
  const std::uint8_t* const from = in.const_data_ptr<std::uint8_t>();
  float* const to = out.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < n; ++i) body(from, to, i);
}

}  // namespace

BatchTensors to_tensors(const RawBatch& batch, const Normalise& normalise, c10::Device device, bool channels_last) {
  const std::int64_t n = batch.count, s = batch.side, c = batch.classes;
  at::Tensor bytes = view(batch.images, {n, s, s, 3}, c10::kByte);
  at::Tensor labels = view(batch.labels, {n, c, s, s}, c10::kByte);
  BatchTensors out;
  out.known_weights = view(batch.weights, {n, c}, c10::kFloat).clone();
  out.weights = device.is_cpu() ? out.known_weights : copied(out.known_weights, device);
  if (!device.is_cpu()) bytes = copied(bytes, device), labels = copied(labels, device);
  const auto floats = at::TensorOptions().dtype(c10::kFloat).device(device);
  const at::Tensor pixels = at::empty({n, s, s, 3}, floats);
  out.targets = at::empty({n, c, s, s}, floats);
  if (device.is_cpu()) {
    each(normalise, bytes, pixels, n * s * s);
    each(Targets{}, labels, out.targets, labels.numel());
  } else {
    const CudaKernels* const kernels = cuda_kernels();
    if (kernels == nullptr) throw Error("the CUDA kernels are not loaded");
    kernels->normalise(bytes, normalise, pixels);
    kernels->targets(labels, out.targets);
  }
  out.images = pixels.permute({0, 3, 1, 2});  // channels_last as it lies
  if (!channels_last) out.images = out.images.contiguous();
  return out;
}

}  // namespace nephron::host
