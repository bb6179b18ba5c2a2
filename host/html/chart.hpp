#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <host/html/canvas.hpp>

namespace nephron::host {

using Points = std::vector<std::pair<double, double>>;

/// How a series is drawn.
enum class Marks : std::uint8_t {
  line,  ///< with a dot a point where there are few
  dots,
  bars,  ///< from 0, those of several series side by side; x are the middles of bins of equal width
};

/// One line of a chart.
struct Series {
  std::string name;
  Points points;       ///< x ascending
  int colour = 0;      ///< of Paint::Of::series
  bool faint = false;  ///< thin and pale: many noisy points behind a bold line; in no legend where it has no name
  Marks marks = Marks::line;
};

/// Values that several lines lie between.
struct Band {
  struct At {
    double x = 0, low = 0, high = 0;
  };
  std::vector<At> at;  ///< x ascending
  int colour = 0;
};

struct Limits {
  double low = 0, high = 1;
};

struct Chart {
  std::string title{};
  std::string x_label{};
  std::vector<Series> series{};
  std::string y_label{};
  std::vector<Band> bands{};
  std::optional<Limits> x{}, y{};  ///< nothing: what the points need
  bool diagonal = false;           ///< where both axes are equal, as it would be best
  bool dashed = false;             ///< series differ in dashes too, for prints without colours
};

/// At most `most` points: each the mean of its neighbours.
Points thinned(const Points& points, std::size_t most);

/// Round numbers that span [low, high]: about `count` of them.
std::vector<double> nice_ticks(double low, double high, int count);

/// Whether anything of it is finite.
bool anything_in(const Chart& chart);

/// The elements of an <svg viewBox="0 0 460 250"> in a page's colours; title and legend are the page's.
std::string chart_elements(const Chart& chart);

/// A picture of its own, with title, axes and legend, in units of its own: 960 wide and 600 high.
constexpr double picture_width = 960, picture_height = 600;
void draw_picture(const Chart& chart, Canvas& canvas);

/// The same as a whole SVG file, `width` pixels wide and 5/8 as high.
std::string chart_svg(const Chart& chart, int width);

}  // namespace nephron::host
