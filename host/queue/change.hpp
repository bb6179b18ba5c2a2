#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <host/queue/scene.hpp>

// What a person does with a job. Each returns what it came to, one line; all throw UsageError for an id that is none of
// this user's, or a job with which that cannot be done.
namespace nephron::host {

std::string cancel_job(const Spool& spool, const std::string& id);
std::string hold_job(const Spool& spool, const std::string& id);
std::string release_job(const Spool& spool, const std::string& id);

/// Takes those of this user's jobs out of the line that wait and that `which` picks; `why` is what is told of them.
/// Returns their ids. What runs or is held stays as it is. Nothing where there is no queue.
std::vector<std::string> cancel_waiting(const std::filesystem::path& spool,
                                        const std::function<bool(const Ticket&)>& which, const std::string& why);

/// The id of this user's job that trains a run and is not over; nothing where none does, or there is no queue.
std::optional<std::string> job_in_line_for(const std::filesystem::path& spool, const std::filesystem::path& run);

/// A job of this user by its id, "UID/ID" or "USER/ID", whether it has ended or not. Throws UsageError.
SceneJob own_job(const Spool& spool, const std::string& id);

}  // namespace nephron::host
