#include <host/queue/gpu_use.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>

#include <host/util/nvml.hpp>

namespace nephron::host {

namespace {

/// An agent asks twice a second, and starting the library takes a while.
std::shared_ptr<const Nvml> opened(const std::filesystem::path& library) {
  static std::mutex mutex;
  static std::map<std::filesystem::path, std::shared_ptr<const Nvml>> known;
  const std::lock_guard lock(mutex);
  const auto found = known.find(library);
  return found != known.end() ? found->second : known.emplace(library, Nvml::open(library)).first->second;
}

}  // namespace

std::vector<Gpu> gpus_here(const std::filesystem::path& library) {
  std::vector<Gpu> out;
  const auto nvml = opened(library);
  for (unsigned i = 0; nvml != nullptr && i < std::min<unsigned>(nvml->count(), most_gpus); ++i) {
    Nvml::Device* const device = nvml->by_index(i);
    if (device == nullptr) continue;
    const std::string uuid = nvml->uuid(device);
    const auto bytes = nvml->memory_bytes(device);
    if (!uuid.empty() && bytes) out.push_back({nvml->name(device), uuid, *bytes});
  }
  return out;
}

std::vector<GpuProcess> processes_on(const std::vector<Gpu>& gpus, const std::filesystem::path& library) {
  std::vector<GpuProcess> out;
  const auto nvml = opened(library);
  for (std::size_t i = 0; nvml != nullptr && i < gpus.size(); ++i) {
    Nvml::Device* const device = gpus[i].made_up() ? nullptr : nvml->by_uuid(gpus[i].uuid);
    if (device == nullptr) continue;
    for (const auto& told : {nvml->computing(device), nvml->drawing(device)})
      for (const Nvml::Process& p : told.value_or(std::vector<Nvml::Process>()))
        if (p.bytes) out.push_back({i, p.pid, *p.bytes});
  }
  return out;
}

std::vector<std::int64_t> use_of_others(const std::vector<Gpu>& gpus, const std::set<pid_t>& ours,
                                        const std::filesystem::path& library) {
  std::vector<std::int64_t> out(gpus.size());
  for (const GpuProcess& process : processes_on(gpus, library))
    if (!ours.contains(process.pid)) out[process.gpu] += process.bytes;
  return out;
}

}  // namespace nephron::host
