#pragma once

#include <string>

#include <host/compare/comparison.hpp>

namespace nephron::host {

// Cards with inline SVG, in the page's colours; "" where there is nothing to show.

/// Differences with their intervals: the named value's, then those of the classes.
std::string forest_plot(const Comparison& comparison);
/// Each donor from the baseline to a side.
std::string slopes_plot(const Comparison& comparison, const Finding& finding);
/// Power by number of donors.
std::string power_plot(const Comparison& comparison);
/// Training time of a run beside its value.
std::string cost_plot(const Comparison& comparison);

}  // namespace nephron::host
