#include <host/queue/parts.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <numeric>

#include <host/util/counted.hpp>

namespace nephron::host {

namespace {

constexpr GpuMask whole = 0xffff;
constexpr std::array names{"idle", "normal", "urgent"};

/// The lowest `count` bits that are set.
GpuMask lowest(GpuMask free, int count) {
  GpuMask out = 0;
  for (int i = 0; i < gpu_parts && count > 0; ++i)
    if ((free >> i & 1) != 0) {
      out = static_cast<GpuMask>(out | (1U << i));
      --count;
    }
  return out;
}

}  // namespace

const char* name_of(Priority priority) { return names.at(static_cast<std::size_t>(priority)); }

std::optional<Priority> priority_named(std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Priority>(found - names.begin());
}

int Request::parts_of(const Gpu& gpu) const {
  if (gpu_bytes <= 0) return gpu_parts;
  if (gpu.bytes <= 0 || gpu_bytes > gpu.bytes) return gpu_parts + 1;
  const double part = static_cast<double>(gpu.bytes) / gpu_parts;
  return std::clamp(static_cast<int>(std::ceil(static_cast<double>(gpu_bytes) / part)), 1, gpu_parts);
}

Parts Parts::all_of(const Machine& machine) {
  Parts out;
  std::fill_n(out.gpus.begin(), machine.gpus.size(), whole);
  for (int i = 0; i < machine.cores; ++i) out.cores.set(static_cast<std::size_t>(i));
  return out;
}

bool Parts::empty() const { return *this == Parts{}; }

void Parts::add(const Parts& other) {
  for (std::size_t i = 0; i < most_gpus; ++i) gpus[i] = static_cast<GpuMask>(gpus[i] | other.gpus[i]);
  cores |= other.cores;
}

void Parts::remove(const Parts& other) {
  for (std::size_t i = 0; i < most_gpus; ++i) gpus[i] = static_cast<GpuMask>(gpus[i] & ~other.gpus[i]);
  cores &= ~other.cores;
}

bool Parts::meets(const Parts& other) const {
  for (std::size_t i = 0; i < most_gpus; ++i)
    if ((gpus[i] & other.gpus[i]) != 0) return true;
  return (cores & other.cores).any();
}

bool Parts::within(const Parts& other) const {
  Parts rest = *this;
  rest.remove(other);
  return rest.empty();
}

int Parts::count_gpu_parts() const {
  return std::accumulate(gpus.begin(), gpus.end(), 0, [](int sum, GpuMask mask) { return sum + std::popcount(mask); });
}

std::optional<Parts> place(const Request& request, const Machine& machine, const Parts& free) {
  if (free.count_cores() < request.cores) return std::nullopt;
  std::vector<std::size_t> fitting;
  for (std::size_t i = 0; i < machine.gpus.size() && request.gpus > 0; ++i)
    if (std::popcount(free.gpus[i]) >= request.parts_of(machine.gpus[i])) fitting.push_back(i);
  if (fitting.size() < static_cast<std::size_t>(request.gpus)) return std::nullopt;
  std::stable_sort(fitting.begin(), fitting.end(), [&](std::size_t a, std::size_t b) {
    return std::popcount(free.gpus[a]) < std::popcount(free.gpus[b]);
  });
  Parts out;
  for (std::size_t i = 0; i < static_cast<std::size_t>(request.gpus); ++i)
    out.gpus[fitting[i]] = lowest(free.gpus[fitting[i]], request.parts_of(machine.gpus[fitting[i]]));
  std::size_t core = free.cores._Find_first();
  for (int n = 0; n < request.cores; ++n, core = free.cores._Find_next(core)) out.cores.set(core);
  return out;
}

std::string never_fits(const Request& request, const Machine& machine) {
  if (request.cores > machine.cores)
    return counted(request.cores, "core") + " were asked for; this machine has " + std::to_string(machine.cores);
  if (request.gpus > static_cast<int>(machine.gpus.size()))
    return counted(request.gpus, "GPU") + " were asked for; this machine has " + std::to_string(machine.gpus.size());
  const auto large = std::count_if(machine.gpus.begin(), machine.gpus.end(),
                                   [&](const Gpu& gpu) { return request.parts_of(gpu) <= gpu_parts; });
  if (large < request.gpus)
    return counted(request.gpus, "GPU") + " with " + bytes_text(request.gpu_bytes) +
           " of memory were asked for; this machine has " + std::to_string(large);
  return {};
}

double cost_per_second(const Parts& parts, const Machine& machine) {
  const double gpus = static_cast<double>(machine.gpus.size());
  const double of_cores = static_cast<double>(parts.count_cores()) / std::max(1, machine.cores);
  const double of_gpus = gpus > 0 ? parts.count_gpu_parts() / (gpu_parts * gpus) : 0;
  return std::max(of_cores, of_gpus) * std::max(1.0, gpus);
}

double cost_per_second(const Request& request, const Machine& machine) {
  const double gpus = static_cast<double>(machine.gpus.size());
  int most = gpu_parts;  // all GPUs of a machine are of one kind, or nearly so
  if (!machine.gpus.empty()) most = std::min(gpu_parts, request.parts_of(machine.gpus.front()));
  const double of_gpus = gpus > 0 ? request.gpus * most / (gpu_parts * gpus) : 0;
  const double of_cores = static_cast<double>(request.cores) / std::max(1, machine.cores);
  return std::max(of_cores, of_gpus) * std::max(1.0, gpus);
}

std::string text_of(const Parts& parts) {
  std::string out;
  for (std::size_t i = 0; i < parts.gpus.size(); ++i) {
    const int n = std::popcount(parts.gpus[i]);
    if (n == 0) continue;
    out += (out.empty() ? "GPU " : ", GPU ") + std::to_string(i);
    if (n < gpu_parts) out += " (" + std::to_string(n) + "/16)";
  }
  return out + (out.empty() ? "" : ", ") + counted(parts.count_cores(), "core");
}

std::string text_of(const Request& request) {
  std::string out;
  if (request.gpus > 0) {
    out = counted(request.gpus, "GPU");
    if (request.gpu_bytes > 0) out += " (" + bytes_text(request.gpu_bytes) + ")";
    out += ", ";
  }
  return out + counted(request.cores, "core");
}

std::optional<std::int64_t> bytes_of(std::string_view text) {
  double number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc() || !std::isfinite(number) || number <= 0) return std::nullopt;
  std::string unit(end, text.data() + text.size());
  for (char& c : unit) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  if (unit.ends_with("IB")) unit.resize(unit.size() - 2);
  else if (unit.size() == 2 && unit.back() == 'B') unit.resize(1);
  constexpr std::string_view units = "KMGT";
  double factor = 1;
  if (!unit.empty() && unit != "B") {
    const std::size_t at = unit.size() == 1 ? units.find(unit.front()) : std::string_view::npos;
    if (at == std::string_view::npos) return std::nullopt;
    factor = std::pow(1024.0, static_cast<double>(at) + 1);
  }
  const double bytes = number * factor;
  return bytes >= 1 && bytes < 1e15 ? std::optional(static_cast<std::int64_t>(std::llround(bytes))) : std::nullopt;
}

std::string bytes_text(std::int64_t bytes) {
  char text[32];
  const double giga = static_cast<double>(bytes) / (1 << 30);
  if (giga >= 1) std::snprintf(text, sizeof text, "%.4g GiB", giga);
  else std::snprintf(text, sizeof text, "%.4g MiB", giga * 1024);
  return text;
}

}  // namespace nephron::host
