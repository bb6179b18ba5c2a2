#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <sys/types.h>

namespace nephron::host {

/// What the driver says of some CUDA devices at one moment.
struct DeviceReading {
  std::optional<double> energy_j;  ///< since the driver was loaded, of all of them; nothing: one does not count it
  std::optional<bool> shared;      ///< another process is on one of them; nothing: the driver does not tell
};

class DeviceWatch {
 public:
  virtual ~DeviceWatch() = default;
  /// `ours`: our processes. In a container the driver names processes by other numbers than we see: where it names none
  /// of ours, more than `holders` a device are others.
  virtual DeviceReading read(const std::set<pid_t>& ours, std::size_t holders) = 0;
};

/// The places "0000:3B:00.0" of CUDA devices "cuda", "cuda:1" on the bus, in their order, by the CUDA driver, which
/// knows of CUDA_VISIBLE_DEVICES; nothing where one is not found. `driver`: the library's name.
std::optional<std::vector<std::string>> places_on_bus(const std::vector<std::string>& devices,
                                                      const std::filesystem::path& driver = "libcuda.so.1");

/// By NVML, loaded now: nothing is linked. Null where it is not there or does not know the devices.
std::unique_ptr<DeviceWatch> nvml_watch(const std::vector<std::string>& places,
                                        const std::filesystem::path& library = "libnvidia-ml.so.1");

}  // namespace nephron::host
