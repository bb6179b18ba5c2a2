#include <host/cost/device_watch.hpp>

#include <algorithm>
#include <array>
#include <charconv>

#include <dlfcn.h>

namespace nephron::host {

namespace {

// What of the driver's libraries is used, as NVIDIA's headers declare it: neither need be there to build this.

constexpr int success = 0, nvml_insufficient_size = 7;

using CuInit = int (*)(unsigned flags);
using CuDeviceGet = int (*)(int* device, int ordinal);
using CuDeviceGetPciBusId = int (*)(char* text, int size, int device);

struct NvmlDevice;
struct NvmlProcess {
  unsigned pid;
  unsigned long long memory;
  unsigned gpu_instance, compute_instance;
};
using NvmlInit = int (*)();
using NvmlByPlace = int (*)(const char* place, NvmlDevice** device);
using NvmlEnergy = int (*)(NvmlDevice* device, unsigned long long* millijoules);
using NvmlProcesses = int (*)(NvmlDevice* device, unsigned* count, NvmlProcess* processes);

/// A shared object that stays loaded: what it started may go on after a look at it.
class Library {
 public:
  explicit Library(const std::filesystem::path& name) : handle_(::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL)) {}
  template <class Function>
  Function find(const char* name) const {
    return handle_ == nullptr ? nullptr : reinterpret_cast<Function>(::dlsym(handle_, name));  // NOLINT
  }

 private:
  void* handle_;
};

/// Of "cuda" and "cuda:1".
std::optional<int> ordinal_of(const std::string& device) {
  constexpr std::string_view name = "cuda";
  if (device == name) return 0;
  if (!device.starts_with("cuda:")) return std::nullopt;
  int out = -1;
  const char* const end = device.data() + device.size();
  const auto [stop, failed] = std::from_chars(device.data() + name.size() + 1, end, out);
  return failed == std::errc() && stop == end && out >= 0 ? std::optional(out) : std::nullopt;
}

class NvmlWatch final : public DeviceWatch {
 public:
  NvmlWatch(const std::vector<std::string>& places, const std::filesystem::path& library) : library_(library) {
    const auto start = library_.find<NvmlInit>("nvmlInit_v2");
    const auto by_place = library_.find<NvmlByPlace>("nvmlDeviceGetHandleByPciBusId_v2");
    energy_ = library_.find<NvmlEnergy>("nvmlDeviceGetTotalEnergyConsumption");
    processes_ = library_.find<NvmlProcesses>("nvmlDeviceGetComputeRunningProcesses_v3");
    if (start == nullptr || by_place == nullptr || start() != success) return;
    for (const std::string& place : places) {
      NvmlDevice* device = nullptr;
      if (by_place(place.c_str(), &device) != success) {
        devices_.clear();
        return;
      }
      devices_.push_back(device);
    }
  }

  bool any() const noexcept { return !devices_.empty(); }

  DeviceReading read(const std::set<pid_t>& ours, std::size_t holders) override {
    DeviceReading out{0.0, false};
    for (NvmlDevice* const device : devices_) {
      unsigned long long millijoules = 0;
      if (out.energy_j && energy_ != nullptr && energy_(device, &millijoules) == success)
        *out.energy_j += static_cast<double>(millijoules) / 1000;
      else out.energy_j.reset();
      const auto shared = is_shared(device, ours, holders);
      if (!shared) out.shared.reset();
      else if (out.shared) out.shared = *out.shared || *shared;
      if (shared == true) out.shared = true;  // whatever another one does not tell
    }
    return out;
  }

 private:
  std::optional<bool> is_shared(NvmlDevice* device, const std::set<pid_t>& ours, std::size_t holders) const {
    constexpr unsigned most = 4096;
    if (processes_ == nullptr) return std::nullopt;
    std::vector<NvmlProcess> there(64);
    auto count = static_cast<unsigned>(there.size());
    int code = processes_(device, &count, there.data());
    if (code == nvml_insufficient_size && count <= most) {
      there.resize(count + 16);
      count = static_cast<unsigned>(there.size());
      code = processes_(device, &count, there.data());
    }
    if (code != success || count > there.size()) return std::nullopt;
    const auto is_ours = [&](const NvmlProcess& p) { return ours.contains(static_cast<pid_t>(p.pid)); };
    const auto known = static_cast<std::size_t>(std::count_if(there.begin(), there.begin() + count, is_ours));
    return known > 0 ? known < count : count > holders;
  }

  Library library_;
  NvmlEnergy energy_ = nullptr;
  NvmlProcesses processes_ = nullptr;
  std::vector<NvmlDevice*> devices_;
};

}  // namespace

std::optional<std::vector<std::string>> places_on_bus(const std::vector<std::string>& devices,
                                                      const std::filesystem::path& driver) {
  const Library library(driver);
  const auto start = library.find<CuInit>("cuInit");
  const auto get = library.find<CuDeviceGet>("cuDeviceGet");
  const auto place_of = library.find<CuDeviceGetPciBusId>("cuDeviceGetPCIBusId");
  if (start == nullptr || get == nullptr || place_of == nullptr || start(0) != success) return std::nullopt;
  std::vector<std::string> out;
  for (const std::string& device : devices) {
    const auto ordinal = ordinal_of(device);
    int handle = 0;
    std::array<char, 32> text{};
    if (!ordinal || get(&handle, *ordinal) != success ||
        place_of(text.data(), static_cast<int>(text.size()) - 1, handle) != success)
      return std::nullopt;
    out.emplace_back(text.data());
  }
  return out;
}

std::unique_ptr<DeviceWatch> nvml_watch(const std::vector<std::string>& places, const std::filesystem::path& library) {
  if (places.empty()) return nullptr;
  auto out = std::make_unique<NvmlWatch>(places, library);
  return out->any() ? std::move(out) : nullptr;
}

}  // namespace nephron::host
