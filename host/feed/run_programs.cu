#include <cuda_runtime_api.h>

#include <host/feed/sample_program.hpp>

namespace nephron::host {

namespace {

/// A row of blocks a sample.
template <class Body>
__global__ void each_pixel(Body body, std::int64_t pixels) {
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < pixels; i += step)
    body(static_cast<std::int32_t>(blockIdx.y), i);
}

template <class Body>
cudaError_t launch(const Body& body, std::int64_t pixels, std::int32_t samples, cudaStream_t stream) {
  constexpr int threads = 256;
  constexpr std::int64_t most = 65535;  // blocks; the loop in the kernel does the rest
  const std::int64_t blocks = (pixels + threads - 1) / threads;
  if (pixels > 0 && samples > 0)
    each_pixel<<<dim3(static_cast<unsigned>(blocks < most ? blocks : most), static_cast<unsigned>(samples)), threads, 0,
                 stream>>>(body, pixels);
  return cudaGetLastError();
}

}  // namespace

cudaError_t launch_programs(const ProgramBatch& batch, cudaStream_t stream) {
  for (std::int32_t stage = 0; stage < batch.stages; ++stage)
    if (const cudaError_t e = launch(StageBody{batch, stage}, batch.most_pixels, batch.count, stream); e != cudaSuccess)
      return e;
  return launch(FinishBody{batch}, static_cast<std::int64_t>(batch.side) * batch.side, batch.count, stream);
}

}  // namespace nephron::host
