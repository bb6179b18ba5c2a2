#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include <sys/types.h>

#include <host/queue/parts.hpp>

// NVIDIA's management library, which comes with the driver; opened when it is there, so that nothing links it.
namespace nephron::host {

/// The machine's GPUs in NVML's order, that of the PCI bus; none without a driver.
std::vector<Gpu> nvml_gpus();

/// What a process uses of a GPU's memory.
struct NvmlProcess {
  std::size_t gpu = 0;  ///< its place in `gpus`
  pid_t pid = 0;
  std::int64_t bytes = 0;
};
/// Of all that are told.
std::vector<NvmlProcess> nvml_processes(const std::vector<Gpu>& gpus);

/// Bytes of each GPU that processes use other than those of `ours`. Where the processes of a GPU are not told, as in a
/// container, nothing is known of it and nothing counts.
std::vector<std::int64_t> nvml_use_of_others(const std::vector<Gpu>& gpus, const std::set<pid_t>& ours);

}  // namespace nephron::host
