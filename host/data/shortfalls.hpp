#pragma once

#include <string>
#include <vector>

#include <host/config/experiment.hpp>
#include <host/data/prepared.hpp>

namespace nephron::host {

/// What the folds `which` lack though the experiment asks for it, a sentence each: slides that are not annotated,
/// slides of folds that there are not, classes without a labelled pixel on one side.
std::vector<std::string> shortfalls(const Experiment& experiment, const PreparedData& data,
                                    const std::vector<int>& which);

/// Throws Error where nothing could be learnt in one of the folds, or its validation would choose weights that find
/// nothing: tiles larger than every slide that it trains on, no labelled pixel of any class on one of its sides.
void require_possible(const Experiment& experiment, const PreparedData& data, const std::vector<int>& which);

}  // namespace nephron::host
