#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace nephron::host {

// Why runs of a sweep are given up: WORK/failed.json and WORK/deaths.jsonl, beside the run.

/// "" where the run is not given up.
std::string failure_of(const std::filesystem::path& work);
void write_failure(const std::filesystem::path& work, const std::string& why, const std::string& hint);
/// What was given up begins again; how many runs that were.
int forget_failures(const std::filesystem::path& sweep);

/// Notes that its process was killed when so many epochs were done. True where that has happened too often to try
/// again.
bool note_death(const std::filesystem::path& work, std::int64_t epochs, const std::string& how);

/// Runs in a sweep's folder that are none of it, and say that they are: copies, whose id is there twice.
std::vector<std::string> foreign_runs(const std::filesystem::path& sweep, const std::set<std::string>& planned);

}  // namespace nephron::host
