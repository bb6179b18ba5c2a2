#include "winograd_job.hpp"

#include <algorithm>
#include <atomic>
#include <vector>

#include <ATen/Parallel.h>

#include "../on_threads.hpp"

namespace nephron::nn {

namespace {

/// Tiles that are worked on together: as many as keep their values in the second cache, and a share for every thread.
std::int64_t tiles_together(const TileJob& job, std::int64_t tiles, std::int64_t rows, std::int64_t threads) {
  constexpr std::int64_t cache_floats = std::int64_t{1} << 18;
  const std::int64_t fit = cache_floats / (winograd_points * (job.channels + job.outputs));
  const std::int64_t share = (tiles + threads - 1) / threads;
  const std::int64_t wanted = std::clamp<std::int64_t>(fit, 2 * rows, 8 * rows);
  return std::max(rows, std::min(wanted, share) / rows * rows);
}

float* scratch_of_this_thread(std::int64_t floats) {
  thread_local std::vector<float> scratch;
  if (scratch.size() < static_cast<std::size_t>(floats)) scratch.resize(static_cast<std::size_t>(floats));
  return scratch.data();
}

}  // namespace

std::int64_t panel_of(std::int64_t outputs, const TileKernels& kernels) noexcept {
  return outputs % (2 * kernels.lanes) == 0 ? 2 * kernels.lanes : kernels.lanes;
}

MapType type_of(const at::Tensor& map) {
  return map.scalar_type() == at::kBFloat16 ? MapType::bfloat16 : MapType::float32;
}

TileJob job_of(const at::Tensor& map, bool doubled, const at::Tensor& joined) {
  const std::int64_t scale = doubled ? 2 : 1;
  TileJob job;
  job.type = type_of(map);
  job.height = scale * map.size(2), job.width = scale * map.size(3);
  job.parts[0] = {map.const_data_ptr(), map.size(1), doubled};
  if (joined.defined()) job.parts[1] = {joined.const_data_ptr(), joined.size(1), false};
  job.channels = job.parts[0].channels + job.parts[1].channels;
  return job;
}

// Tiles are taken as threads become free.
void run_job(const TileJob& job, const TileKernels& kernels, std::int64_t tiles) {
  if (tiles == 0) return;
  const std::int64_t threads = std::max(1, at::get_num_threads());
  const std::int64_t together = tiles_together(job, tiles, kernels.rows, threads);
  const std::int64_t parts = (tiles + together - 1) / together;
  std::atomic<std::int64_t> next{0};
  on_threads(std::min(threads, parts), 1, [&](std::int64_t begin, std::int64_t end) {
    float* const scratch = scratch_of_this_thread(scratch_floats(job, together));
    for (; begin < end; ++begin)
      for (std::int64_t part = next++; part < parts; part = next++)
        kernels.run(job, part * together, std::min(together, tiles - part * together), scratch);
  });
}

}  // namespace nephron::nn
