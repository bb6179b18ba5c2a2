#include <host/util/nvml.hpp>

#include <array>
#include <type_traits>

#include <dlfcn.h>

namespace nephron::host {

namespace {

// As nvml.h of CUDA 11 and later declares it: it need not be there to build this.

constexpr int success = 0, insufficient_size = 7;
constexpr unsigned long long not_told = ~0ULL;

struct MemoryOfDevice {
  unsigned long long total, free, used;
};
struct ProcessOnDevice {
  unsigned pid;
  unsigned long long bytes;
  unsigned gpu_instance, compute_instance;
};

}  // namespace

struct Nvml::Functions {
  int (*init)() = nullptr;
  int (*count)(unsigned*) = nullptr;
  int (*by_index)(unsigned, Device**) = nullptr;
  int (*by_uuid)(const char*, Device**) = nullptr;
  int (*by_bus_place)(const char*, Device**) = nullptr;
  int (*name)(Device*, char*, unsigned) = nullptr;
  int (*uuid)(Device*, char*, unsigned) = nullptr;
  int (*memory)(Device*, MemoryOfDevice*) = nullptr;
  int (*energy)(Device*, unsigned long long*) = nullptr;
  int (*computing)(Device*, unsigned*, ProcessOnDevice*) = nullptr;
  int (*drawing)(Device*, unsigned*, ProcessOnDevice*) = nullptr;

  explicit Functions(void* library) {
    const auto load = [&](auto& function, const char* symbol) {
      function = reinterpret_cast<std::decay_t<decltype(function)>>(::dlsym(library, symbol));  // NOLINT
    };
    load(init, "nvmlInit_v2");
    load(count, "nvmlDeviceGetCount_v2");
    load(by_index, "nvmlDeviceGetHandleByIndex_v2");
    load(by_uuid, "nvmlDeviceGetHandleByUUID");
    load(by_bus_place, "nvmlDeviceGetHandleByPciBusId_v2");
    load(name, "nvmlDeviceGetName");
    load(uuid, "nvmlDeviceGetUUID");
    load(memory, "nvmlDeviceGetMemoryInfo");
    load(energy, "nvmlDeviceGetTotalEnergyConsumption");
    load(computing, "nvmlDeviceGetComputeRunningProcesses_v3");
    load(drawing, "nvmlDeviceGetGraphicsRunningProcesses_v3");
  }

  template <class Get, class Key>
  static Device* device(Get get, Key key) {
    Device* out = nullptr;
    return get != nullptr && get(key, &out) == success ? out : nullptr;
  }

  static std::string text(int (*get)(Device*, char*, unsigned), Device* device) {
    std::array<char, 128> out{};
    return get != nullptr && get(device, out.data(), out.size() - 1) == success ? out.data() : "";
  }

  static std::optional<std::vector<Process>> processes(int (*get)(Device*, unsigned*, ProcessOnDevice*),
                                                       Device* device) {
    constexpr unsigned most = 4096;
    if (get == nullptr) return std::nullopt;
    std::vector<ProcessOnDevice> there(64);
    auto count = static_cast<unsigned>(there.size());
    int code = get(device, &count, there.data());
    if (code == insufficient_size && count <= most) {
      there.resize(count + 16);  // some may begin meanwhile
      count = static_cast<unsigned>(there.size());
      code = get(device, &count, there.data());
    }
    if (code != success || count > there.size()) return std::nullopt;
    std::vector<Process> out;
    for (unsigned i = 0; i < count; ++i) {
      const ProcessOnDevice& p = there[i];
      out.push_back({static_cast<pid_t>(p.pid),
                     p.bytes == not_told ? std::nullopt : std::optional(static_cast<std::int64_t>(p.bytes))});
    }
    return out;
  }
};

std::shared_ptr<const Nvml> Nvml::open(const std::filesystem::path& library) {
  void* const handle = ::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return nullptr;
  auto functions = std::make_unique<const Functions>(handle);
  if (functions->init == nullptr || functions->init() != success) return nullptr;
  return std::shared_ptr<const Nvml>(new Nvml(std::move(functions)));
}

Nvml::Nvml(std::unique_ptr<const Functions> functions) : functions_(std::move(functions)) {}
Nvml::~Nvml() = default;

unsigned Nvml::count() const {
  unsigned out = 0;
  return functions_->count != nullptr && functions_->count(&out) == success ? out : 0;
}

Nvml::Device* Nvml::by_index(unsigned index) const { return Functions::device(functions_->by_index, index); }
Nvml::Device* Nvml::by_uuid(const std::string& uuid) const {
  return Functions::device(functions_->by_uuid, uuid.c_str());
}
Nvml::Device* Nvml::by_bus_place(const std::string& place) const {
  return Functions::device(functions_->by_bus_place, place.c_str());
}

std::string Nvml::name(Device* device) const { return Functions::text(functions_->name, device); }
std::string Nvml::uuid(Device* device) const { return Functions::text(functions_->uuid, device); }

std::optional<std::int64_t> Nvml::memory_bytes(Device* device) const {
  MemoryOfDevice out = {};
  if (functions_->memory == nullptr || functions_->memory(device, &out) != success) return std::nullopt;
  return static_cast<std::int64_t>(out.total);
}

std::optional<double> Nvml::energy_j(Device* device) const {
  unsigned long long millijoules = 0;
  if (functions_->energy == nullptr || functions_->energy(device, &millijoules) != success) return std::nullopt;
  return static_cast<double>(millijoules) / 1000;
}

std::optional<std::vector<Nvml::Process>> Nvml::computing(Device* device) const {
  return Functions::processes(functions_->computing, device);
}
std::optional<std::vector<Nvml::Process>> Nvml::drawing(Device* device) const {
  return Functions::processes(functions_->drawing, device);
}

}  // namespace nephron::host
