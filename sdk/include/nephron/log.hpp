#pragma once

#include <string_view>

#include <nephron/export.hpp>

namespace nephron {

/// Where a component writes to the person at the terminal and to log.txt. Thread-safe.
class NEPHRON_API Log {
 public:
  virtual ~Log();
  enum class Level { debug, info, warning, error };
  virtual void write(Level level, std::string_view text) = 0;

  void debug(std::string_view text) { write(Level::debug, text); }
  void info(std::string_view text) { write(Level::info, text); }
  void warning(std::string_view text) { write(Level::warning, text); }
  void error(std::string_view text) { write(Level::error, text); }
};

}  // namespace nephron
