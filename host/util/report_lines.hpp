#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace nephron::host {

/// Splits what a child reports into lines of JSON. Lines that are none are passed over: a plugin might write to any
/// descriptor.
class LineReader {
 public:
  explicit LineReader(std::function<void(const nlohmann::json&)> on_line) : on_line_(std::move(on_line)) {}
  void add(std::string_view text);

 private:
  std::function<void(const nlohmann::json&)> on_line_;
  std::string buffer_;
};

/// In a child: a line on `report_descriptor` (child_process.hpp). Ends the process when the parent is gone.
void report(const nlohmann::json& event);

}  // namespace nephron::host
