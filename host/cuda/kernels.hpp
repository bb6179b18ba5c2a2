#pragma once

#include <ATen/core/Tensor.h>

#include <host/cuda/normalise.hpp>

namespace nephron::host {

struct ProgramBatch;  // host/feed/sample_program.hpp

/// What libnephron_cuda.so offers. Tensors are contiguous and on one CUDA device; kernels run on its current stream.
struct CudaKernels {
  static constexpr int version = 5;
  int version_built = version;
  /// bytes [N, H, W, 3] u8 -> out [N, H, W, 3] float
  void (*normalise)(const at::Tensor& bytes, const Normalise& how, const at::Tensor& out) = nullptr;
  /// bytes u8 -> out float of the same shape
  void (*targets)(const at::Tensor& bytes, const at::Tensor& out) = nullptr;
  /// signed_distance() of masks [N, C, H, W] float -> out of the same shape; room: int of four times as many elements
  void (*distance)(const at::Tensor& masks, const at::Tensor& room, const at::Tensor& out) = nullptr;
  /// Carries out programs of samples, whose memory lies on the device.
  void (*run_programs)(const ProgramBatch& batch, c10::Device device) = nullptr;
  /// "8.6" of a device is 86.
  int (*capability)(c10::Device device) = nullptr;
  /// Bytes that are free on a device.
  std::int64_t (*free_memory)(c10::Device device) = nullptr;
  /// From now on LibTorch's allocator takes no more than so many bytes of each device.
  void (*limit_memory)(std::int64_t bytes) = nullptr;
};

/// The one symbol of the library.
using CudaKernelsEntry = const CudaKernels* (*)();
inline constexpr const char* cuda_entry_name = "nephron_cuda_kernels";

}  // namespace nephron::host
