#pragma once

#include <string>
#include <vector>

#include <host/queue/submit.hpp>
#include <host/sweep/sweep_folder.hpp>

namespace nephron::host {

/// Whether a file, or what it extends, has a section [sweep]. False where it cannot be read: whoever reads it next says
/// why.
bool is_sweep_file(const std::filesystem::path& file, const std::vector<std::string>& overrides);

/// What each job of the sweep is: the program that was there when the sweep was first put in line goes on with it, on
/// `device`.
std::vector<std::string> sweep_command(const SweepFolder& sweep, const std::string& device);

/// Puts so many processes of the sweep into the machine's queue, each with what `each` asks for, and each of which goes
/// on with the sweep until nothing is left. A stop that was asked for is withdrawn. Returns the jobs' ids. Throws Error
/// and UsageError that say how many are in line.
std::vector<std::string> put_in_line(const SweepFolder& sweep, const Submission& each, int jobs);

}  // namespace nephron::host
