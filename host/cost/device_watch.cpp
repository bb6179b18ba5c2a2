#include <host/cost/device_watch.hpp>

#include <algorithm>
#include <array>
#include <charconv>

#include <dlfcn.h>

#include <host/util/nvml.hpp>

namespace nephron::host {

namespace {

// What of the CUDA driver is used, as NVIDIA's headers declare it: it need not be there to build this.

constexpr int success = 0;

using CuInit = int (*)(unsigned flags);
using CuDeviceGet = int (*)(int* device, int ordinal);
using CuDeviceGetPciBusId = int (*)(char* text, int size, int device);

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
  NvmlWatch(std::shared_ptr<const Nvml> nvml, std::vector<Nvml::Device*> devices)
      : nvml_(std::move(nvml)), devices_(std::move(devices)) {}

  DeviceReading read(const std::set<pid_t>& ours, std::size_t holders) override {
    DeviceReading out{0.0, false};
    for (Nvml::Device* const device : devices_) {
      const auto energy = nvml_->energy_j(device);
      if (out.energy_j && energy) *out.energy_j += *energy;
      else out.energy_j.reset();
      const auto shared = is_shared(device, ours, holders);
      if (!shared) out.shared.reset();
      else if (out.shared) out.shared = *out.shared || *shared;
      if (shared == true) out.shared = true;  // whatever another one does not tell
    }
    return out;
  }

 private:
  std::optional<bool> is_shared(Nvml::Device* device, const std::set<pid_t>& ours, std::size_t holders) const {
    const auto there = nvml_->computing(device);
    if (!there) return std::nullopt;
    const auto is_ours = [&](const Nvml::Process& p) { return ours.contains(p.pid); };
    const auto known = static_cast<std::size_t>(std::count_if(there->begin(), there->end(), is_ours));
    return known > 0 ? known < there->size() : there->size() > holders;
  }

  std::shared_ptr<const Nvml> nvml_;
  std::vector<Nvml::Device*> devices_;
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
  auto nvml = places.empty() ? nullptr : Nvml::open(library);
  if (nvml == nullptr) return nullptr;
  std::vector<Nvml::Device*> devices;
  for (const std::string& place : places) {
    devices.push_back(nvml->by_bus_place(place));
    if (devices.back() == nullptr) return nullptr;
  }
  return std::make_unique<NvmlWatch>(std::move(nvml), std::move(devices));
}

}  // namespace nephron::host
