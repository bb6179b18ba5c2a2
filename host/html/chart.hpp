#pragma once

#include <string>
#include <utility>
#include <vector>

namespace nephron::host {

/// One line of a chart.
struct Series {
  std::string name;
  std::vector<std::pair<double, double>> points;  ///< x ascending
  int colour = 0;                                 ///< 0..5, of the page's palette
  bool faint = false;                             ///< thin and pale: many noisy points behind a bold line
};

struct Chart {
  std::string title;
  std::string x_label;
  std::vector<Series> series;
};

/// At most `most` points: each the mean of its neighbours.
std::vector<std::pair<double, double>> thinned(const std::vector<std::pair<double, double>>& points, std::size_t most);

/// Round numbers that span [low, high]: about `count` of them.
std::vector<double> nice_ticks(double low, double high, int count);

/// A card with title, inline SVG and legend; "" when no series has a point. Values that are not finite are left out.
std::string chart_html(const Chart& chart);

}  // namespace nephron::host
