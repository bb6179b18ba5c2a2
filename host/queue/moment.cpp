#include <host/queue/moment.hpp>

#include <algorithm>
#include <ctime>
#include <fstream>

namespace nephron::host {

namespace {

double seconds_of(clockid_t clock) {
  timespec now = {};
  return ::clock_gettime(clock, &now) == 0 ? static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec)
                                           : 0;
}

std::string read_boot_id() {
  std::ifstream in("/proc/sys/kernel/random/boot_id");
  std::string line;
  std::getline(in, line);
  return line;
}

}  // namespace

Moment Moment::now() {
  static const std::string id = read_boot_id();
  return {seconds_of(CLOCK_REALTIME), seconds_of(CLOCK_BOOTTIME), id};
}

double seconds_between(const Moment& a, const Moment& b) {
  const bool same = !a.boot_id.empty() && a.boot_id == b.boot_id;
  return std::max(0.0, same ? b.boot - a.boot : b.wall - a.wall);
}

std::string clock_text(double wall) {
  const std::time_t then = static_cast<std::time_t>(wall), today = std::time(nullptr);
  std::tm at = {}, now = {};
  ::localtime_r(&then, &at);
  ::localtime_r(&today, &now);
  char text[64];
  const bool same_day = at.tm_year == now.tm_year && at.tm_yday == now.tm_yday;
  std::strftime(text, sizeof text, same_day ? "%H:%M" : "%Y-%m-%d %H:%M", &at);
  return text;
}

}  // namespace nephron::host
