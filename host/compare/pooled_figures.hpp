#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <host/compare/finding.hpp>
#include <host/compare/measured_run.hpp>

namespace nephron::host {

/// A side beside the first one in the value of all slides together, as if they were one (and of all of its runs), mean
/// over the classes.
struct PooledFigure {
  std::size_t side = 0;
  double first = 0, value = 0;
  BootstrapIntervals difference;  ///< donors drawn anew; NaN at all ends of a single one
};

struct PooledFigures {
  std::vector<PooledFigure> sides;  ///< but the first; empty where there are none
  std::string why_none;             ///< "" also where nothing was kept to pool
};

/// Of what the validations kept of each slide (measures/), added up by the metric's plugin. Only of values that pool
/// over pixels: those of objects are compared object by object, and others are means of slides.
PooledFigures pooled_figures(const std::vector<MeasuredRun>& runs, const std::vector<Side>& sides,
                             const ValueTable& table, std::uint64_t seed);

}  // namespace nephron::host
