#include <cuda_runtime_api.h>

#include <host/cuda/normalise.hpp>

namespace nephron::host {

namespace {

template <class Body>
__global__ void each(Body body, const std::uint8_t* in, float* out, std::int64_t n) {
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < n; i += step)
    body(in, out, i);
}

template <class Body>
cudaError_t launch(const Body& body, const std::uint8_t* in, float* out, std::int64_t n, cudaStream_t stream) {
  constexpr int threads = 256;
  constexpr std::int64_t most = 65535;  // blocks; the loop in the kernel does the rest
  const std::int64_t blocks = (n + threads - 1) / threads;
  if (n > 0) each<<<static_cast<unsigned>(blocks < most ? blocks : most), threads, 0, stream>>>(body, in, out, n);
  return cudaGetLastError();
}

}  // namespace

cudaError_t launch_normalise(const Normalise& how, const std::uint8_t* in, float* out, std::int64_t pixels,
                             cudaStream_t stream) {
  return launch(how, in, out, pixels, stream);
}

cudaError_t launch_targets(const std::uint8_t* in, float* out, std::int64_t n, cudaStream_t stream) {
  return launch(Targets{}, in, out, n, stream);
}

}  // namespace nephron::host
