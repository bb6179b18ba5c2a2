#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <nephron/log.hpp>

namespace nephron::host {

/// The program's log: the terminal (stderr) and, once open_log_file() was called, a file, which
/// begins with what was said before. spdlog stays behind it.
Log& log();
void open_log_file(const std::filesystem::path& file);
void set_log_level(Log::Level level);
/// From here on every line of the log goes to `listener` alone: of a process that works for another one, which has a
/// terminal and a file. Of several threads, one at a time.
void hand_log_to(std::function<void(Log::Level, std::string_view)> listener);

}  // namespace nephron::host
