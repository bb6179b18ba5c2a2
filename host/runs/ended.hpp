#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace nephron::host {

/// What ends a session that does not finish its run.
enum class EndedBy {
  error,
  interruption,  ///< Ctrl-C or SIGTERM
  pause,         ///< the epoch that it was to stop at (train --until-epoch)
};

/// How a session of a run ended that did not finish it: RUN/ended.json, left by the process itself. One that was killed
/// leaves none. Of a run whose job in the queue was over before it began, the queue leaves it.
struct SessionEnd {
  std::int64_t session = 0;  ///< how many the run had then, itself included; 0: it has not begun
  EndedBy by = EndedBy::error;
  std::string error, hint;
  std::string at;  ///< "2026-01-31T12:00:00+0100"
};

std::filesystem::path ended_file(const std::filesystem::path& run);

/// Puts a few bytes of the disk aside for it, which are there when that is full. No more than an attempt.
void reserve_ended(const std::filesystem::path& run);
/// Gives them back: the run is at its end.
void release_ended(const std::filesystem::path& run);

/// Writes it for the session that environment.json names last. On a full disk it takes the place of what was put aside.
/// What stops it is told in the log alone: it is the run's own error that counts.
void write_ended(const std::filesystem::path& run, EndedBy by, const std::string& error = {},
                 const std::string& hint = {});

/// Nothing where there is no such file. Throws Error that names file and place.
std::optional<SessionEnd> read_ended(const std::filesystem::path& run);

}  // namespace nephron::host
