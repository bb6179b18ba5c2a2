#include <cuda_runtime_api.h>

#include <nephron/draft/distance_passes.hpp>

namespace nephron::host {

namespace {

template <class Pass>
__global__ void each_line(Pass pass, draft::DistancePlanes planes, std::int64_t n) {
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < n) pass(planes, i);
}

template <class Pass>
void launch(const Pass& pass, const draft::DistancePlanes& planes, std::int64_t n, cudaStream_t stream) {
  constexpr int threads = 64;  // lines are few and long
  each_line<<<static_cast<unsigned>((n + threads - 1) / threads), threads, 0, stream>>>(pass, planes, n);
}

}  // namespace

cudaError_t launch_distance(const draft::DistancePlanes& planes, cudaStream_t stream) {
  launch(draft::ColumnPass{}, planes, planes.planes * planes.width, stream);
  launch(draft::RowPass{}, planes, planes.planes * planes.height, stream);
  return cudaGetLastError();
}

}  // namespace nephron::host
