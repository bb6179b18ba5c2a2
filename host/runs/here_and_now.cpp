#include <host/runs/here_and_now.hpp>

#include <ctime>

#include <pwd.h>
#include <unistd.h>

namespace nephron::host {

std::string user_name() {
  const passwd* const entry = getpwuid(getuid());
  return entry != nullptr ? entry->pw_name : std::to_string(getuid());
}

std::string time_text() {
  const std::time_t t = std::time(nullptr);
  std::tm local = {};
  localtime_r(&t, &local);
  char text[40];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S%z", &local);
  return text;
}

}  // namespace nephron::host
