#include <host/runs/process.hpp>

#include <ctime>
#include <fstream>
#include <sstream>
#include <string>

#include <unistd.h>

namespace nephron::host {

double seconds_since_start() {
  std::ifstream in("/proc/self/stat");
  std::string line;
  std::getline(in, line);
  // The name in parentheses may hold anything; the 20th word behind it is the start in ticks since boot.
  std::istringstream words(line.substr(line.rfind(')') + 1));
  std::string word;
  for (int i = 0; i < 20; ++i) words >> word;
  timespec now = {};
  if (!words || clock_gettime(CLOCK_BOOTTIME, &now) != 0) return 0;
  const double ticks = std::stod(word) / static_cast<double>(sysconf(_SC_CLK_TCK));
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec) - ticks;
}

namespace {

double status_mb(const std::string& key) {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(key)) return std::stod(line.substr(key.size())) / 1024;
  return 0;
}

}  // namespace

double peak_rss_mb() { return status_mb("VmHWM:"); }
double rss_mb() { return status_mb("VmRSS:"); }

void reset_peak_rss() { std::ofstream("/proc/self/clear_refs") << "5"; }

std::string host_name() {
  char name[256] = "unknown";
  gethostname(name, sizeof name - 1);
  return name;
}

}  // namespace nephron::host
