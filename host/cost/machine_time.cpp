#include <host/cost/machine_time.hpp>

#include <array>
#include <charconv>
#include <fstream>
#include <iterator>
#include <string>

#include <unistd.h>

namespace nephron::host {

namespace {

/// The numbers of a line "cpu  1 2 3", as many as there are.
struct Ticks {
  std::array<std::uint64_t, 10> of{};
  std::size_t count = 0;
};

std::optional<Ticks> ticks_in(std::string_view line) {
  Ticks out;
  const char* at = line.data();
  const char* const end = at + line.size();
  while (out.count < out.of.size()) {
    while (at != end && *at == ' ') ++at;
    if (at == end) break;
    const auto [next, failed] = std::from_chars(at, end, out.of[out.count]);
    if (failed != std::errc() || (next != end && *next != ' ')) return std::nullopt;
    at = next;
    ++out.count;
  }
  return out;
}

}  // namespace

std::optional<MachineTime> machine_time_in(std::string_view text, double ticks_a_second) {
  // user nice system idle iowait irq softirq steal guest guest_nice; those of guests are in user and nice, too.
  constexpr std::array busy{0, 1, 2, 5, 6, 7};
  constexpr std::size_t least = 4;
  MachineTime out;
  bool whole = false;
  while (!text.empty()) {
    const std::size_t line_end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, line_end);
    text.remove_prefix(std::min(line_end + 1, text.size()));
    if (!line.starts_with("cpu")) continue;
    const std::size_t blank = line.find(' ');
    if (blank == std::string_view::npos) return std::nullopt;
    if (blank > 3) {
      ++out.cores;
      continue;
    }
    const auto ticks = ticks_in(line.substr(blank));
    if (!ticks || ticks->count < least || !(ticks_a_second > 0)) return std::nullopt;
    double sum = 0;
    for (const int i : busy) sum += static_cast<double>(ticks->of[static_cast<std::size_t>(i)]);
    out.busy_s = sum / ticks_a_second;
    whole = true;
  }
  return whole && out.cores > 0 ? std::optional(out) : std::nullopt;
}

std::optional<MachineTime> machine_time() {
  std::ifstream in("/proc/stat");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  return machine_time_in(text, static_cast<double>(::sysconf(_SC_CLK_TCK)));
}

}  // namespace nephron::host
