#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <nephron/geometry.hpp>

#include <host/objects/row_run.hpp>

namespace nephron::host {

/// Runs of an object are sorted, and none touches the next one of its row.

/// Runs, sorted, of the holes of an object, of at most `most` pixels each: 4-connected parts of what it leaves of its
/// box that do not reach the box's border.
std::vector<RowRun> holes_of(std::span<const RowRun> object, const Region& box, std::int64_t most);

/// Both, which have no pixel in common, as runs of one object.
std::vector<RowRun> joined_runs(std::span<const RowRun> a, std::span<const RowRun> b);

/// Whether a pixel is one of sorted runs.
bool holds_pixel(std::span<const RowRun> runs, std::int64_t x, std::int64_t y) noexcept;

}  // namespace nephron::host
