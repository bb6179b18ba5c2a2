#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include <nephron/log.hpp>

namespace nephron::host {

/// The program's log: the terminal (stderr) and, once open_log_file() was called, a file, which
/// begins with what was said before. spdlog stays behind it.
Log& log();
void open_log_file(const std::filesystem::path& file);
void set_log_level(Log::Level level);

}  // namespace nephron::host
