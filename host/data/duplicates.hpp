#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include <host/data/prepared.hpp>

namespace nephron::host {

/// Slides that have equal pixels at the experiment's factor: each later one with the first that it equals. What one
/// dataset lists several times of one file, as for each fold, is meant to be there so often and does not count.
///
/// Cheap enough for every start: slides of different sizes are never looked at, those of the store tell by the digests
/// of their records, and of the others 64 small squares are read before whole slides are.
std::vector<std::pair<std::size_t, std::size_t>> equal_slides(const PreparedData& data);

}  // namespace nephron::host
