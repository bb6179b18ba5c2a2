#include <host/runs/here_and_now.hpp>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <fstream>
#include <string_view>

#include <pwd.h>
#include <unistd.h>

namespace nephron::host {

std::string user_name() {
  const passwd* const entry = getpwuid(getuid());
  return entry != nullptr ? entry->pw_name : std::to_string(getuid());
}

namespace {

std::string now_as(const char* format) {
  const std::time_t t = std::time(nullptr);
  std::tm local = {};
  localtime_r(&t, &local);
  char text[40];
  std::strftime(text, sizeof text, format, &local);
  return text;
}

}  // namespace

std::string time_text() { return now_as("%Y-%m-%dT%H:%M:%S%z"); }

std::optional<std::int64_t> seconds_of_time(const std::string& time) {
  std::tm parts = {};
  const char* const end = ::strptime(time.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (end == nullptr || std::string_view(end).size() != 5) return std::nullopt;
  int zone = 0;
  if ((*end != '+' && *end != '-') || std::from_chars(end + 1, end + 5, zone).ptr != end + 5) return std::nullopt;
  const std::int64_t offset = (zone / 100 * 60 + zone % 100) * 60;
  return ::timegm(&parts) - (*end == '-' ? -offset : offset);
}

std::string time_name() { return now_as("%Y%m%d-%H%M%S"); }

std::string cpu_name() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("model name")) return line.substr(std::min(line.size(), line.find(':') + 2));
  return "unknown";
}

}  // namespace nephron::host
