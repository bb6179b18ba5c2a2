#pragma once

#include <optional>
#include <string>
#include <vector>

namespace nephron::host {

/// Lines across upright axes, a line a trial.
struct ParallelPlot {
  struct Axis {
    std::string name;
    bool logarithmic = false;
    std::vector<std::string> values;  ///< a line; numbers where all are; "" where a line has none there
  };
  struct Line {
    std::string told;  ///< what pointing at it says
    int colour = -1;   ///< of a series, bold; -1: pale
    bool failed = false;
  };
  std::vector<Axis> axes;
  std::vector<Line> lines;  ///< those behind first
};

/// A card with the plot; "" for fewer than two axes or no line.
std::string parallel_plot_html(const std::string& title, const ParallelPlot& plot);

/// Where a value stands on an axis, 0 at its foot to 1; nothing for "", and for what is no number among numbers.
std::vector<std::optional<double>> places_on(const ParallelPlot::Axis& axis);

}  // namespace nephron::host
