#pragma once

#include <exception>

#include <host/train/fold_job.hpp>

namespace nephron::host {

// What a process that trains one fold tells the one that started it, a line of JSON each on report_descriptor:
//
//   {"log": "info", "text": ...}                            a line of the log
//   {"progress": WHAT, "done": ..., "total": ..., "note": ...}
//   {"result": {...}}                                       of the fold, at its end or its interruption
//   {"error": ..., "hint": ...}                             why there is none

/// From here on this process speaks to its parent alone, and dies with it.
void work_for_parent();
void report_result(const FoldResult& result);
/// The exception that is being handled.
void report_failure();

}  // namespace nephron::host
