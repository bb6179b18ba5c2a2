#pragma once

#include <vector>

#include <host/compare/measured_run.hpp>

namespace nephron::host {

/// Runs that differ in nothing but which folds they trained, such as those of a sweep, become one: each is joined to
/// the first before it that is of the same recipe and seed, was measured in the same way, and has none of its folds and
/// slides.
std::vector<MeasuredRun> join_folds(std::vector<MeasuredRun> runs);

}  // namespace nephron::host
