#include <host/queue/nvml.hpp>

#include <algorithm>
#include <memory>

#include <dlfcn.h>

namespace nephron::host {

namespace {

using Device = void*;
struct Memory {
  unsigned long long total, free, used;
};
struct Process {
  unsigned int pid;
  unsigned long long bytes;
  unsigned int instance, compute_instance;
};
constexpr unsigned long long not_told = ~0ULL;

/// The functions that are used, as nvml.h of CUDA 11 and later declares them.
class Nvml {
 public:
  static const Nvml* get() {
    static const Nvml own;
    return own.count != nullptr ? &own : nullptr;
  }

  int (*count)(unsigned int*) = nullptr;
  int (*by_index)(unsigned int, Device*) = nullptr;
  int (*by_uuid)(const char*, Device*) = nullptr;
  int (*name)(Device, char*, unsigned int) = nullptr;
  int (*uuid)(Device, char*, unsigned int) = nullptr;
  int (*memory)(Device, Memory*) = nullptr;
  int (*compute)(Device, unsigned int*, Process*) = nullptr;
  int (*graphics)(Device, unsigned int*, Process*) = nullptr;

 private:
  Nvml() {
    void* const library = ::dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return;
    const auto load = [&](auto& function, const char* symbol) {
      function = reinterpret_cast<std::decay_t<decltype(function)>>(::dlsym(library, symbol));
      return function != nullptr;
    };
    int (*init)() = nullptr;
    unsigned int n = 0;
    const bool whole = load(init, "nvmlInit_v2") && load(by_index, "nvmlDeviceGetHandleByIndex_v2") &&
                       load(by_uuid, "nvmlDeviceGetHandleByUUID") && load(name, "nvmlDeviceGetName") &&
                       load(uuid, "nvmlDeviceGetUUID") && load(memory, "nvmlDeviceGetMemoryInfo") &&
                       load(compute, "nvmlDeviceGetComputeRunningProcesses_v3") &&
                       load(graphics, "nvmlDeviceGetGraphicsRunningProcesses_v3");
    if (!whole || init() != 0 || !load(count, "nvmlDeviceGetCount_v2") || count(&n) != 0) count = nullptr;
  }
};

std::vector<Process> processes(int (*ask)(Device, unsigned int*, Process*), Device device) {
  std::vector<Process> out(256);
  auto n = static_cast<unsigned int>(out.size());
  out.resize(ask(device, &n, out.data()) == 0 ? std::min<std::size_t>(n, out.size()) : 0);
  return out;
}

}  // namespace

std::vector<Gpu> nvml_gpus() {
  std::vector<Gpu> out;
  const Nvml* const nvml = Nvml::get();
  unsigned int n = 0;
  if (nvml == nullptr || nvml->count(&n) != 0) return out;
  for (unsigned int i = 0; i < std::min<unsigned int>(n, most_gpus); ++i) {
    Device device = nullptr;
    char name[128] = "", uuid[128] = "";
    Memory memory = {};
    if (nvml->by_index(i, &device) != 0 || nvml->uuid(device, uuid, sizeof uuid) != 0 ||
        nvml->memory(device, &memory) != 0)
      continue;
    nvml->name(device, name, sizeof name);
    out.push_back({name, uuid, static_cast<std::int64_t>(memory.total)});
  }
  return out;
}

std::vector<NvmlProcess> nvml_processes(const std::vector<Gpu>& gpus) {
  std::vector<NvmlProcess> out;
  const Nvml* const nvml = Nvml::get();
  for (std::size_t i = 0; nvml != nullptr && i < gpus.size(); ++i) {
    Device device = nullptr;
    if (gpus[i].made_up() || nvml->by_uuid(gpus[i].uuid.c_str(), &device) != 0) continue;
    for (const auto ask : {nvml->compute, nvml->graphics})
      for (const Process& p : processes(ask, device))
        if (p.bytes != not_told) out.push_back({i, static_cast<pid_t>(p.pid), static_cast<std::int64_t>(p.bytes)});
  }
  return out;
}

std::vector<std::int64_t> nvml_use_of_others(const std::vector<Gpu>& gpus, const std::set<pid_t>& ours) {
  std::vector<std::int64_t> out(gpus.size());
  for (const NvmlProcess& process : nvml_processes(gpus))
    if (!ours.contains(process.pid)) out[process.gpu] += process.bytes;
  return out;
}

}  // namespace nephron::host
