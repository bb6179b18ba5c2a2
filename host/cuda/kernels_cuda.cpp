// libnephron_cuda.so: what joins the kernels to tensors. Only this library is linked with LibTorch's CUDA part.
#include <algorithm>

#include <ATen/Context.h>
#include <ATen/cuda/CUDAContext.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>

#include <nephron/draft/distance_passes.hpp>

#include <host/cuda/kernels.hpp>

namespace nephron::host {

cudaError_t launch_normalise(const Normalise& how, const std::uint8_t* in, float* out, std::int64_t pixels,
                             cudaStream_t stream);
cudaError_t launch_targets(const std::uint8_t* in, float* out, std::int64_t n, cudaStream_t stream);
cudaError_t launch_programs(const ProgramBatch& batch, cudaStream_t stream);
cudaError_t launch_distance(const draft::DistancePlanes& planes, cudaStream_t stream);

namespace {

void normalise(const at::Tensor& bytes, const Normalise& how, const at::Tensor& out) {
  const c10::cuda::CUDAGuard guard(bytes.device());
  C10_CUDA_CHECK(launch_normalise(how, bytes.const_data_ptr<std::uint8_t>(), out.mutable_data_ptr<float>(),
                                  bytes.numel() / 3, at::cuda::getCurrentCUDAStream()));
}

void targets(const at::Tensor& bytes, const at::Tensor& out) {
  const c10::cuda::CUDAGuard guard(bytes.device());
  C10_CUDA_CHECK(launch_targets(bytes.const_data_ptr<std::uint8_t>(), out.mutable_data_ptr<float>(), bytes.numel(),
                                at::cuda::getCurrentCUDAStream()));
}

void distance(const at::Tensor& masks, const at::Tensor& room, const at::Tensor& out) {
  const c10::cuda::CUDAGuard guard(masks.device());
  std::int32_t* const rows = room.mutable_data_ptr<std::int32_t>();
  const draft::DistancePlanes planes{.target = masks.const_data_ptr<float>(),
                                     .down = rows,
                                     .hull = rows + 2 * masks.numel(),
                                     .out = out.mutable_data_ptr<float>(),
                                     .planes = masks.size(0) * masks.size(1),
                                     .height = masks.size(2),
                                     .width = masks.size(3)};
  C10_CUDA_CHECK(launch_distance(planes, at::cuda::getCurrentCUDAStream()));
}

void run_programs(const ProgramBatch& batch, c10::Device device) {
  const c10::cuda::CUDAGuard guard(device);
  C10_CUDA_CHECK(launch_programs(batch, at::cuda::getCurrentCUDAStream()));
}

int capability(c10::Device device) {
  const cudaDeviceProp* const properties = at::cuda::getDeviceProperties(device.index());
  return 10 * properties->major + properties->minor;
}

std::int64_t free_memory(c10::Device device) {
  const c10::cuda::CUDAGuard guard(device);
  std::size_t free = 0, total = 0;
  C10_CUDA_CHECK(cudaMemGetInfo(&free, &total));
  return static_cast<std::int64_t>(free);
}

void limit_memory(std::int64_t bytes) {
  at::globalContext().lazyInitDevice(c10::kCUDA);  // without an allocator there is nothing to limit
  for (c10::DeviceIndex i = 0; i < c10::cuda::device_count(); ++i) {
    const double total = static_cast<double>(at::cuda::getDeviceProperties(i)->totalGlobalMem);
    c10::cuda::CUDACachingAllocator::setMemoryFraction(std::clamp(static_cast<double>(bytes) / total, 0.0, 1.0), i);
  }
}

}  // namespace
}  // namespace nephron::host

extern "C" __attribute__((visibility("default"))) const nephron::host::CudaKernels* nephron_cuda_kernels() {
  static const nephron::host::CudaKernels kernels{nephron::host::CudaKernels::version,
                                                  &nephron::host::normalise,
                                                  &nephron::host::targets,
                                                  &nephron::host::distance,
                                                  &nephron::host::run_programs,
                                                  &nephron::host::capability,
                                                  &nephron::host::free_memory,
                                                  &nephron::host::limit_memory};
  return &kernels;
}
