#include <host/train/batch_tensors.hpp>

#include <algorithm>
#include <cstring>

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <nephron/error.hpp>

#include <host/device/pixels.hpp>
#include <host/train/run_programs.hpp>

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

/// Samples that are made on the device.
BatchTensors augmented(const RawBatch& batch, const Normalise& normalise, c10::Device device, bool channels_last) {
  const std::int64_t n = batch.count, c = batch.classes, s = batch.side;
  BatchTensors out;
  out.known_weights = view(batch.weights, {n, c}, c10::kFloat).clone();
  out.weights = device.is_cpu() ? out.known_weights : copied(out.known_weights, device);
  MadeBatch made = run_programs(batch, normalise, device);
  out.images = channels_last ? made.images : made.images.contiguous();
  out.targets = made.targets;
  if (made.ignored.defined()) out.pixel_weights = (made.ignored == 0).to(c10::kFloat).expand({n, c, s, s}).contiguous();
  return out;
}

}  // namespace

BatchTensors to_tensors(const RawBatch& batch, const Normalise& normalise, c10::Device device, bool channels_last) {
  if (!batch.programs.empty()) return augmented(batch, normalise, device, channels_last);
  const std::int64_t n = batch.count, s = batch.side, c = batch.classes;
  at::Tensor bytes = view(batch.images, {n, s, s, 3}, c10::kByte);
  at::Tensor labels = view(batch.labels, {n, c, s, s}, c10::kByte);
  BatchTensors out;
  out.known_weights = view(batch.weights, {n, c}, c10::kFloat).clone();
  out.weights = device.is_cpu() ? out.known_weights : copied(out.known_weights, device);
  if (!device.is_cpu()) bytes = copied(bytes, device), labels = copied(labels, device);
  out.targets = unit_floats(labels);
  out.images = normalised(bytes, normalise);
  if (!channels_last) out.images = out.images.contiguous();
  if (std::any_of(batch.ignoring.begin(), batch.ignoring.end(), [](std::uint8_t some) { return some != 0; })) {
    const at::Tensor ignored = view(batch.ignored, {n, 1, s, s}, c10::kByte);
    const at::Tensor there = device.is_cpu() ? ignored : copied(ignored, device);
    out.pixel_weights = (there == 0).to(c10::kFloat).expand({n, c, s, s}).contiguous();
  }
  return out;
}

}  // namespace nephron::host
