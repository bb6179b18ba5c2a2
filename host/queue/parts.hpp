#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What a machine consists of, as the queue counts it: sixteenths of GPUs, and cores.
namespace nephron::host {

inline constexpr int gpu_parts = 16;
inline constexpr std::size_t most_gpus = 64, most_cores = 1024;
using GpuMask = std::uint16_t;  ///< a bit a sixteenth

struct Gpu {
  std::string name;
  std::string uuid;        ///< "" of a made-up one, whose jobs compute on the CPU
  std::int64_t bytes = 0;  ///< of memory
  bool made_up() const noexcept { return uuid.empty(); }
};

struct Machine {
  std::vector<Gpu> gpus;
  int cores = 1;
};

enum class Priority { idle, normal, urgent };
const char* name_of(Priority priority);
std::optional<Priority> priority_named(std::string_view name);

/// What a job asks for.
struct Request {
  int gpus = 0;
  std::int64_t gpu_bytes = 0;  ///< of each; 0: whole ones
  int cores = 1;
  Priority priority = Priority::normal;

  /// Sixteenths of this GPU; more than there are when it is too small.
  int parts_of(const Gpu& gpu) const;
};

/// A share of the machine: what a job was given, what is free, what is taken.
struct Parts {
  std::array<GpuMask, most_gpus> gpus{};
  std::bitset<most_cores> cores;

  static Parts all_of(const Machine& machine);
  bool empty() const;
  void add(const Parts& other);
  void remove(const Parts& other);
  bool meets(const Parts& other) const;
  bool within(const Parts& other) const;
  int count_cores() const { return static_cast<int>(cores.count()); }
  int count_gpu_parts() const;
  bool operator==(const Parts&) const = default;
};

/// Takes the request out of what is free: the fullest GPUs that have room, so that whole ones stay whole, and the
/// lowest cores. Nothing where it does not fit.
std::optional<Parts> place(const Request& request, const Machine& machine, const Parts& free);

/// Why it would not even fit into the empty machine; "" where it would.
std::string never_fits(const Request& request, const Machine& machine);

/// What a second of these parts counts in GPU-seconds: the larger of their shares of the GPUs and of the cores, times
/// the number of GPUs (1 where there are none). So a job that takes all cores of a machine, and with them what the GPUs
/// need, pays for it.
double cost_per_second(const Parts& parts, const Machine& machine);
double cost_per_second(const Request& request, const Machine& machine);

/// "GPU 0 (4/16), GPU 1, 8 cores".
std::string text_of(const Parts& parts);
std::string text_of(const Request& request);

/// "6G", "512M", "6.5GiB", a number of bytes. Nothing for anything else.
std::optional<std::int64_t> bytes_of(std::string_view text);
std::string bytes_text(std::int64_t bytes);

}  // namespace nephron::host
