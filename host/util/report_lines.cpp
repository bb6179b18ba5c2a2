#include <host/util/report_lines.hpp>

#include <mutex>

#include <unistd.h>

#include <host/util/child_process.hpp>

namespace nephron::host {

void LineReader::add(std::string_view text) {
  buffer_ += text;
  for (std::size_t end = buffer_.find('\n'); end != std::string::npos; end = buffer_.find('\n')) {
    const nlohmann::json line = nlohmann::json::parse(buffer_.substr(0, end), nullptr, false);
    buffer_.erase(0, end + 1);
    if (line.is_object()) on_line_(line);
  }
  if (buffer_.size() > (1U << 20)) buffer_.clear();
}

void report(const nlohmann::json& event) {
  static std::mutex one_at_a_time;
  const std::string line = event.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  const std::lock_guard lock(one_at_a_time);
  std::string_view left = line;
  while (!left.empty()) {
    const ssize_t n = ::write(report_descriptor, left.data(), left.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) ::_exit(1);
    left.remove_prefix(static_cast<std::size_t>(n));
  }
}

}  // namespace nephron::host
