// nephron doctor: what is here, what is missing, and how to get it.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <set>
#include <thread>

#include <dlfcn.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <opencv2/core/version.hpp>

#include <nephron/kinds.hpp>

#include <host/cli/command.hpp>
#include <host/device/device.hpp>
#include <host/device/kernel_check.hpp>
#include <host/plugins/registry.hpp>
#include <host/util/pages.hpp>
#include <host/util/printable.hpp>

namespace nephron::host {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// Facts by section, and what a person should do something about.
struct Findings {
  Json sections = Json::object();
  struct Problem {
    std::string what;
    std::string remedy;
    bool serious;  ///< training does not work without it
  };
  std::vector<Problem> problems;
};

std::string first_line(const fs::path& file, const std::string& start = {}) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(start)) return line;
  return {};
}

std::string gigabytes(double bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f GiB", bytes / (1 << 30));
  return text;
}

void versions(Findings& f) {
  utsname system{};
  ::uname(&system);
  const std::string name = first_line("/etc/os-release", "PRETTY_NAME=");
  f.sections["versions"] = {
      {"nephron",
       NEPHRON_STRING(NEPHRON_SDK_MAJOR) "." NEPHRON_STRING(NEPHRON_SDK_MINOR) "." NEPHRON_STRING(NEPHRON_SDK_PATCH)},
      {"LibTorch", NEPHRON_TORCH_BUILD},
      {"OpenCV", CV_VERSION},
      {"compiler", NEPHRON_COMPILER_ROW},
      {"build", NEPHRON_BUILD_ROW},
      {"system", (name.size() > 13 ? name.substr(13, name.size() - 14) : std::string(system.sysname)) + ", kernel " +
                     system.release}};
}

void machine(Findings& f) {
  const std::string model = first_line("/proc/cpuinfo", "model name");
  const std::string flags = first_line("/proc/cpuinfo", "flags") + " ";
  std::string vectors;
  for (const char* flag : {"avx2", "avx512f", "avx512_bf16", "amx_bf16"})
    if (flags.find(" " + std::string(flag) + " ") != std::string::npos)
      vectors += (vectors.empty() ? "" : ", ") + std::string(flag);
  const std::string memory = first_line("/proc/meminfo", "MemTotal:");
  const double total = memory.size() > 9 ? std::strtod(memory.c_str() + 9, nullptr) * 1024 : 0;
  const std::string free_line = first_line("/proc/meminfo", "MemAvailable:");
  const double available = free_line.size() > 13 ? std::strtod(free_line.c_str() + 13, nullptr) * 1024 : 0;
  std::error_code error;
  const fs::space_info disk = fs::space(fs::current_path(error), error);
  f.sections["machine"] = {{"processor", model.size() > 13 ? model.substr(model.find(':') + 2) : "unknown"},
                           {"instructions", vectors.empty() ? "none beyond the baseline" : vectors},
                           {"cores", std::thread::hardware_concurrency()},
                           {"memory", gigabytes(total) + ", " + gigabytes(available) + " available"},
                           {"disk here", error ? "unknown" : gigabytes(static_cast<double>(disk.available)) + " free"}};
  if (vectors.find("bf16") == std::string::npos)
    f.problems.push_back({"this processor has no bf16 instructions",
                          "train on the CPU in fp32 (train.precision = \"fp32\"): bf16 is slower here", false});
  if (available > 0 && available < 2.0 * (1 << 30))
    f.problems.push_back({"only " + gigabytes(available) + " of memory is available",
                          "end other programs, or lower train.batch and data.prefetch", false});
  if (!error && disk.available < (std::uintmax_t{1} << 30))
    f.problems.push_back(
        {"less than 1 GiB is free on this disk", "free some, or put runs elsewhere with --runs", true});
}

/// The CUDA version that the driver offers: libcuda's own answer.
std::string driver_cuda() {
  void* library = ::dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return "no driver";
  int version = 0;
  const auto get = reinterpret_cast<int (*)(int*)>(::dlsym(library, "cuDriverGetVersion"));
  if (get == nullptr || get(&version) != 0) return "a driver that does not answer";
  return "CUDA " + std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

std::string find_program(const std::string& name, std::vector<fs::path> folders) {
  const char* path = std::getenv("PATH");
  std::string text = path != nullptr ? path : "";
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(':', at), text.size());
    folders.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  for (const fs::path& folder : folders)
    if (::access((folder / name).c_str(), X_OK) == 0) return (folder / name).string();
  return {};
}

void devices(Findings& f) {
  Json& out = f.sections["devices"];
  std::error_code error;
  const bool card = fs::exists("/proc/driver/nvidia/version", error) || fs::exists("/dev/nvidia0", error);
  out["NVIDIA driver"] = driver_cuda();
  int number = 0;
  if (card)
    for (const auto& entry : fs::directory_iterator("/proc/driver/nvidia/gpus", error)) {
      const std::string model = first_line(entry.path() / "information", "Model:");
      const std::size_t at = model.find_first_not_of(" \t", 6);
      out["GPU " + std::to_string(number++)] = at == std::string::npos ? "unknown" : model.substr(at);
    }
  const std::string nvcc = find_program("nvcc", {"/usr/local/cuda/bin"});
  out["CUDA toolkit"] = nvcc.empty() ? "none (only needed to build the CUDA part)" : nvcc;
  if (!card) {
    out["CUDA"] = "not used: no NVIDIA GPU";
    return;
  }
  std::string why;
  const bool good = cuda_available(&why);
  out["CUDA"] = good ? "can be used" : "cannot be used: " + why;
  if (!good)
    f.problems.push_back({"there is an NVIDIA GPU, but nephron cannot use it: " + why,
                          "./nephron build, or `nephron torch fetch --full` in a bundle, fetches LibTorch's CUDA part; "
                          "`nvidia-smi` tells whether the driver works",
                          false});
}

void plugins(Findings& f) {
  const Registry registry;
  Json& out = f.sections["plugins"];
  std::set<fs::path> files;
  for (const ComponentInfo& c : registry.components()) files.insert(c.file);
  out["files"] = files.size();
  for (const KindInfo& kind : kinds) {
    const std::size_t count = registry.names(kind.name).size();
    out[std::string(kind.plural)] = count;
    if (count == 0)
      f.problems.push_back(
          {"no plugin provides " + std::string(kind.plural),
           "build or install nephron's own plugins (./nephron build), or name yours in NEPHRON_PLUGIN_PATH", true});
  }
  out["rejected"] = Json::array();
  for (const auto& r : registry.rejected()) {
    out["rejected"].push_back({{"file", r.file.string()}, {"reason", r.reason}});
    f.problems.push_back({"plugin " + r.file.string() + " is not used: " + r.reason,
                          "build it again with this version, or take it away", false});
  }
  for (const Registry::Clash& c : registry.clashes()) f.problems.push_back({c.error().what(), c.error().hint(), false});
}

/// Not beside its sources: the tests and the script that fetches what they are compared with are not there.
bool is_installed() {
  std::error_code failed;
  return fs::is_directory(package_root() / "share" / "nephron", failed);
}

void helpers(Findings& f) {
  const char* named = std::getenv("NEPHRON_PEERS");
  const char* home = std::getenv("HOME");
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const fs::path python =
      named != nullptr
          ? fs::path(named)
          : (cache != nullptr && *cache != '\0' ? fs::path(cache) : fs::path(home != nullptr ? home : "/") / ".cache") /
                "nephron/peers/bin/python";
  const bool there = ::access(python.c_str(), X_OK) == 0;
  f.sections["helpers"] = {{"Python peers", there ? python.string() : "not installed"}};
  if (!there && !is_installed())
    f.problems.push_back({"the Python peers are not installed: parity tests and benchmarks skip them",
                          "./nephron peers (about 6 GB), or set NEPHRON_PEERS to a Python that has them", false});
}

/// nephron's kernels on a device, beside their bodies on the CPU.
void kernels(Findings& f, const std::string& device) {
  Json& out = f.sections["kernels"] = Json::array();
  for (const KernelCheck& check : check_kernels(parse_device(device))) {
    out.push_back({{"name", check.name},
                   {"elements", check.elements},
                   {"difference", check.difference},
                   {"allowed", check.allowed}});
    if (!(check.difference <= check.allowed))
      f.problems.push_back({"the kernel \"" + check.name + "\" gives other numbers on " + device + " than on the CPU",
                            "nephron was built for other GPUs, or the GPU is faulty: train on the CPU, and tell us",
                            true});
  }
}

/// A section that fails is a finding, not the end of the examination. `device`: whose kernels are tried; empty: none.
Findings examine(const std::string& device) {
  Findings f;
  std::vector<std::pair<const char*, std::function<void(Findings&)>>> parts{
      {"versions", versions}, {"machine", machine}, {"devices", devices}, {"plugins", plugins}, {"helpers", helpers}};
  if (!device.empty()) parts.emplace_back("kernels", [&](Findings& all) { kernels(all, device); });
  for (const auto& [name, part] : parts) {
    try {
      part(f);
    } catch (const Error& e) {
      f.problems.push_back({std::string("the section \"") + name + "\" failed: " + e.what(), e.hint(), true});
    }
  }
  return f;
}

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.is_array() ? std::to_string(value.size()) : value.dump();
}

int doctor(bool json, const std::string& device) {
  const Findings f = examine(device);
  bool serious = false;
  for (const auto& p : f.problems) serious = serious || p.serious;
  if (json) {
    Json out = f.sections;
    out["problems"] = Json::array();
    for (const auto& p : f.problems)
      out["problems"].push_back({{"what", p.what}, {"remedy", p.remedy}, {"serious", p.serious}});
    std::printf("%s\n", out.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
    return serious ? Exit::failed : Exit::done;
  }
  for (const auto& section : f.sections.items()) {
    std::printf("%s\n", section.key().c_str());
    for (const auto& fact : section.value().items()) {
      const Json& told = fact.value();
      const bool kernel = told.is_object();
      std::printf("  %-16s %s\n", kernel ? told["name"].get<std::string>().c_str() : fact.key().c_str(),
                  printable(kernel ? "greatest difference " + told["difference"].dump() + " of " +
                                         told["elements"].dump() + " numbers"
                                   : text_of(told))
                      .c_str());
    }
  }
  std::printf(f.problems.empty() ? "\nnothing is missing\n" : "\nto look at\n");
  for (const auto& p : f.problems)
    std::printf("  %s %s\n      %s\n", p.serious ? "!" : "-", printable(p.what).c_str(), printable(p.remedy).c_str());
  return serious ? Exit::failed : Exit::done;
}

void add_doctor(CLI::App& app, int& exit) {
  CLI::App* command = app.add_subcommand(
      "doctor", "Say what is here, what is missing and how to get it; exit code 1 when training cannot work");
  const auto json = std::make_shared<bool>(false);
  const auto device = std::make_shared<std::string>();
  command->add_flag("--json", *json, "As JSON");
  command->add_option("--kernels", *device, "Try nephron's own kernels on this device: cuda, cuda:N")
      ->type_name("DEVICE");
  command->callback([json, device, &exit] { exit = doctor(*json, *device); });
}
NEPHRON_COMMAND("doctor", 90, add_doctor)

}  // namespace
}  // namespace nephron::host
