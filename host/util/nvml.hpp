#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace nephron::host {

/// NVIDIA's management library, which comes with the driver: opened when it is there, so that nothing links it. What a
/// version of it lacks, or a container does not tell, is nothing.
class Nvml {
 public:
  struct Device;  ///< the library's own

  struct Process {
    pid_t pid = 0;  ///< as the driver sees it, which in a container is another number
    std::optional<std::int64_t> bytes;
  };

  /// Null where there is none. It stays loaded: what it started may go on after a look at it.
  static std::shared_ptr<const Nvml> open(const std::filesystem::path& library = "libnvidia-ml.so.1");

  unsigned count() const;
  Device* by_index(unsigned index) const;                ///< in the order of the PCI bus; null: there is none
  Device* by_uuid(const std::string& uuid) const;        ///< null: there is none
  Device* by_bus_place(const std::string& place) const;  ///< "0000:3B:00.0"; null: there is none

  std::string name(Device* device) const;
  std::string uuid(Device* device) const;
  std::optional<std::int64_t> memory_bytes(Device* device) const;
  std::optional<double> energy_j(Device* device) const;  ///< since the driver was loaded
  std::optional<std::vector<Process>> computing(Device* device) const;
  std::optional<std::vector<Process>> drawing(Device* device) const;

  ~Nvml();
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;

 private:
  struct Functions;
  explicit Nvml(std::unique_ptr<const Functions> functions);
  std::unique_ptr<const Functions> functions_;
};

}  // namespace nephron::host
