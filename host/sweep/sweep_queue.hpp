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
/// on with the sweep until nothing is left. A stop that was asked for is withdrawn, and what it took out stays out.
/// Returns the jobs' ids. Throws Error and UsageError that say how many are in line.
std::vector<std::string> put_in_line(const SweepFolder& sweep, const Submission& each, int jobs);

/// Asks all processes of the sweep to stop, and takes this user's jobs of it that wait out of the line, of the
/// machine's queue and of Slurm's, so that what comes later does not find more of them than it asks for. Returns their
/// ids.
std::vector<std::string> stop_sweep(const SweepFolder& sweep);

/// Withdraws a stop, and puts in line again what it took out; says so.
void go_on_after_stop(const SweepFolder& sweep);

/// Withdraws a stop because other jobs are put in line: what it took out stays out.
void forget_stop(const SweepFolder& sweep);

}  // namespace nephron::host
