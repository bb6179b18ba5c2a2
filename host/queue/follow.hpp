#pragma once

#include <optional>
#include <string>

#include <host/queue/spool.hpp>

namespace nephron::host {

/// Prints what a job of this user has said; with `follow` also what it says from now on, until it ends, is held, or
/// this program is interrupted. Returns its exit code where it has ended. Throws UsageError for an id that is none.
std::optional<int> show_log(const Spool& spool, const std::string& id, bool follow);

}  // namespace nephron::host
