#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace nephron::host {

/// The check that every child makes first: that the plugin can be loaded.
inline constexpr const char* load_check = "load";
/// The check that two children answer together: that what is drawn is the same in another process, at another time.
inline constexpr const char* processes_check = "processes";

/// Splits what a child reports into lines of JSON. Lines that are none are passed over: a plugin might write to any
/// descriptor.
class LineReader {
 public:
  explicit LineReader(std::function<void(const nlohmann::json&)> on_line) : on_line_(std::move(on_line)) {}

  void add(std::string_view text) {
    buffer_ += text;
    for (std::size_t end = buffer_.find('\n'); end != std::string::npos; end = buffer_.find('\n')) {
      const nlohmann::json line = nlohmann::json::parse(buffer_.substr(0, end), nullptr, false);
      buffer_.erase(0, end + 1);
      if (line.is_object()) on_line_(line);
    }
    if (buffer_.size() > (1U << 20)) buffer_.clear();
  }

 private:
  std::function<void(const nlohmann::json&)> on_line_;
  std::string buffer_;
};

}  // namespace nephron::host
