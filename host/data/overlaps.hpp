#pragma once

#include <string>
#include <vector>

#include <host/config/experiment.hpp>
#include <host/data/prepared.hpp>

namespace nephron::host {

/// Of an experiment with exclusive classes: pixels that have several of them, which a softmax cannot learn. A sentence
/// a slide where few have, such as along the edges of polygons; throws Error where more than a hundredth of a slide's
/// labelled pixels have. Nothing for other experiments, unless a loss of theirs takes classes to exclude each other:
/// `loss` is its name. Looks at the pixels of slides whose labels may overlap.
std::vector<std::string> check_exclusive(const Experiment& experiment, const PreparedData& data,
                                         const std::string& loss = {});

}  // namespace nephron::host
