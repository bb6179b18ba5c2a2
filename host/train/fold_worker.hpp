#pragma once

#include <exception>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include <host/train/fold_job.hpp>

namespace nephron::host {

// What a process that trains one fold tells the one that started it, a line of JSON each on report_descriptor:
//
//   {"log": "info", "text": ...}                            a line of the log
//   {"progress": WHAT, "done": ..., "total": ..., "note": ...}
//   {"result": {...}}                                       of the fold, at its end or its interruption
//   {"error": ..., "hint": ..., "usage": ...}               why there is none; `usage`: it was asked for wrongly

/// From here on this process speaks to its parent alone, and dies with it.
void work_for_parent();
void report_result(const FoldResult& result);
/// The exception that is being handled.
void report_failure();

/// In the parent: says a line of the log that a child reported, as `who` where it does not begin so. False: the event
/// is none.
bool relay_log(const nlohmann::json& event, const std::string& who);

}  // namespace nephron::host
