#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <host/queue/job.hpp>

namespace nephron::host {

/// How far a run is, as a text that differs when it came further; "" of what is no run.
std::string progress_of(const std::filesystem::path& run);
/// Every fold that it was started for is done.
bool run_finished(const std::filesystem::path& run);
/// Seconds until its end at the pace of its last steps, validation not counted; nothing where that is not known.
std::optional<double> seconds_left(const std::filesystem::path& run);

/// Of a job that is over, or is in line again: a run that has not begun would else wait for ever, or be given up. Tells
/// nothing to a run that has begun, which tells it itself.
void tell_run(const Ticket& ticket, const JobState& state);

}  // namespace nephron::host
