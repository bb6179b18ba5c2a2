#pragma once

#include <string>

#include <host/queue/scene.hpp>

// What a person does with a job. Each returns what it came to, one line; all throw UsageError for an id that is none of
// this user's, or a job with which that cannot be done.
namespace nephron::host {

std::string cancel_job(const Spool& spool, const std::string& id);
std::string hold_job(const Spool& spool, const std::string& id);
std::string release_job(const Spool& spool, const std::string& id);

/// A job of this user by its id, "UID/ID" or "USER/ID", whether it has ended or not. Throws UsageError.
SceneJob own_job(const Spool& spool, const std::string& id);

}  // namespace nephron::host
