#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace nephron::host {

/// Which part of a sweep a run is: RUN/sweep.json, left by the process that trains the sweep.
struct SweepPart {
  std::string sweep;  ///< its name
  int trial = 0;
  int rung = 0;           ///< that was begun last
  bool confirms = false;  ///< it chose nothing
  bool operator==(const SweepPart&) const = default;
};

std::filesystem::path sweep_part_file(const std::filesystem::path& run);

/// Throws Error.
void write_sweep_part(const std::filesystem::path& run, const SweepPart& part);

/// Nothing where there is no such file. Throws Error that names file and place.
std::optional<SweepPart> read_sweep_part(const std::filesystem::path& run);

}  // namespace nephron::host
