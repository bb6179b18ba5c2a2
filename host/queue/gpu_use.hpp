#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <set>
#include <vector>

#include <sys/types.h>

#include <host/queue/parts.hpp>

// The machine's GPUs and who uses them, as NVIDIA's driver tells. `library`: NVML, by another name in tests.
namespace nephron::host {

inline constexpr const char* usual_nvml = "libnvidia-ml.so.1";

/// In NVML's order, that of the PCI bus; none without a driver.
std::vector<Gpu> gpus_here(const std::filesystem::path& library = usual_nvml);

/// What a process uses of a GPU's memory.
struct GpuProcess {
  std::size_t gpu = 0;  ///< its place in `gpus`
  pid_t pid = 0;
  std::int64_t bytes = 0;
};
/// Of all that are told.
std::vector<GpuProcess> processes_on(const std::vector<Gpu>& gpus, const std::filesystem::path& library = usual_nvml);

/// Bytes of each GPU that processes use other than those of `ours`. Where the processes of a GPU are not told, as in a
/// container, nothing is known of it and nothing counts.
std::vector<std::int64_t> use_of_others(const std::vector<Gpu>& gpus, const std::set<pid_t>& ours,
                                        const std::filesystem::path& library = usual_nvml);

}  // namespace nephron::host
