#pragma once

#include <chrono>
#include <ctime>
#include <fstream>
#include <string>

// Time and memory of this program, for what tests/bench times.
namespace nephron::host {

/// Since it was made.
class Clock {
 public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }
  /// Of processors, all threads together.
  double busy() const { return static_cast<double>(std::clock() - busy_) / CLOCKS_PER_SEC; }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::clock_t busy_ = std::clock();
};

/// Memory is counted from here on.
inline void reset_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }

inline double peak_mb() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1024;
  return 0;
}

}  // namespace nephron::host
