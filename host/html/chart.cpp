#include <host/html/chart.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include <host/html/escaped.hpp>
#include <host/html/svg_canvas.hpp>

namespace nephron::host {

namespace {

constexpr std::size_t most_dots = 60;  // of a line

/// Where the parts of a chart lie.
struct Frame {
  double width = 460, height = 250, left = 58, right = 14, top = 10, bottom = 40;
  double letters = 12;
  double line = 2;  ///< width of a bold one
};

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  void add(double v) { low = std::min(low, v), high = std::max(high, v); }
  bool empty() const { return high < low; }
};

std::string number(double v) {
  char text[32];
  const double size = std::abs(v);
  if (size != 0 && (size < 1e-3 || size >= 1e6)) std::snprintf(text, sizeof text, "%.1e", v);
  else std::snprintf(text, sizeof text, "%.4g", size < 1e-12 ? 0 : v);
  return text;
}

bool finite(const std::pair<double, double>& p) { return std::isfinite(p.first) && std::isfinite(p.second); }
bool finite(const Band::At& at) { return std::isfinite(at.x) && std::isfinite(at.low) && std::isfinite(at.high); }

std::size_t bar_series(const Chart& chart) {
  return static_cast<std::size_t>(
      std::count_if(chart.series.begin(), chart.series.end(), [](const Series& s) { return s.marks == Marks::bars; }));
}

/// Width of a bin of bars: the least distance of two.
double bin_width(const Chart& chart) {
  double out = std::numeric_limits<double>::infinity();
  for (const Series& s : chart.series)
    for (std::size_t i = 1; s.marks == Marks::bars && i < s.points.size(); ++i)
      out = std::min(out, s.points[i].first - s.points[i - 1].first);
  return std::isfinite(out) && out > 0 ? out : 1;
}

struct Ranges {
  Range x, y;
};

Ranges ranges_of(const Chart& chart) {
  Ranges out;
  for (const Series& s : chart.series)
    for (const auto& p : s.points)
      if (finite(p)) out.x.add(p.first), out.y.add(p.second);
  for (const Band& band : chart.bands)
    for (const Band::At& at : band.at)
      if (finite(at)) out.x.add(at.x), out.y.add(at.low), out.y.add(at.high);
  return out;
}

class Drawing {
 public:
  /// Left of its area the frame gets as much room as the numbers there take.
  Drawing(const Chart& chart, const Frame& frame, Canvas& canvas) : chart_(chart), frame_(frame), canvas_(canvas) {
    Ranges ranges = ranges_of(chart);
    if (bar_series(chart) > 0) {
      bin_ = bin_width(chart);
      ranges.x.add(ranges.x.low - bin_ / 2), ranges.x.add(ranges.x.high + bin_ / 2);
      ranges.y.add(0);
    }
    if (chart.x) ranges.x = {chart.x->low, chart.x->high};
    if (chart.y) ranges.y = {chart.y->low, chart.y->high};
    x_ticks_ = nice_ticks(ranges.x.low, ranges.x.high, 6), y_ticks_ = nice_ticks(ranges.y.low, ranges.y.high, 5);
    x_ = {ranges.x.low, std::max(ranges.x.high, ranges.x.low + 1e-12)};
    y_ = chart.y ? ranges.y : Range{std::min(ranges.y.low, y_ticks_.front()), std::max(ranges.y.high, y_ticks_.back())};
    if (y_.high <= y_.low) y_.high = y_.low + 1;
    for (const double t : y_ticks_) widest_ = std::max(widest_, canvas.width_of(number(t), {.size = frame.letters}));
    frame_.left = std::max(frame_.left, widest_ + frame.letters * (chart.y_label.empty() ? 1.2 : 2.8));
  }

  void draw() {
    axes();
    if (chart_.diagonal) {
      const double low = std::max(x_.low, y_.low), high = std::min(x_.high, y_.high);
      if (low < high)
        canvas_.line(std::vector<Point>{at(low, low), at(high, high)}, {{Paint::Of::soft}, 1.2, 0.8, {4, 4}});
    }
    for (const Band& band : chart_.bands) draw_band(band);
    std::size_t number_of_bars = 0;
    for (const Series& s : chart_.series) {
      if (s.marks == Marks::bars) draw_bars(s, number_of_bars++);
      else if (s.marks == Marks::dots) draw_dots(s);
      else draw_line(s);
    }
  }

 private:
  Point at(double x, double y) const {
    return {frame_.left + (x - x_.low) / (x_.high - x_.low) * (frame_.width - frame_.left - frame_.right),
            frame_.height - frame_.bottom -
                (y - y_.low) / (y_.high - y_.low) * (frame_.height - frame_.top - frame_.bottom)};
  }

  void axes() {
    const double base = frame_.height - frame_.bottom, letters = frame_.letters;
    const double right = frame_.width - frame_.right;
    const Lettering soft{.size = letters};
    for (const double t : y_ticks_) {
      if (t < y_.low - 1e-9 * (y_.high - y_.low) || t > y_.high + 1e-9 * (y_.high - y_.low)) continue;
      const double y = at(x_.low, t).y;
      canvas_.line(std::vector<Point>{{frame_.left, y}, {right, y}}, {{Paint::Of::grid}});
      Lettering end = soft;
      end.anchor = Lettering::Anchor::end;
      canvas_.text({frame_.left - 8, y + letters / 3}, number(t), end);
    }
    Lettering middle = soft;
    middle.anchor = Lettering::Anchor::middle;
    for (const double t : x_ticks_)
      if (t >= x_.low && t <= x_.high) canvas_.text({at(t, y_.low).x, base + letters * 1.5}, number(t), middle);
    canvas_.line(std::vector<Point>{{frame_.left, base}, {right, base}}, {{Paint::Of::axis}});
    canvas_.text({(frame_.left + right) / 2, frame_.height - letters * 0.45}, chart_.x_label, middle);
    if (chart_.y_label.empty()) return;
    middle.upright = true;
    canvas_.text({frame_.left - widest_ - letters * 1.5, (frame_.top + base) / 2}, chart_.y_label, middle);
  }

  void draw_band(const Band& band) {
    std::vector<Point> corners;
    for (const Band::At& a : band.at)
      if (finite(a)) corners.push_back(at(a.x, a.high));
    for (auto a = band.at.rbegin(); a != band.at.rend(); ++a)
      if (finite(*a)) corners.push_back(at(a->x, a->low));
    canvas_.area(corners, {Paint::Of::series, band.colour}, 0.18);
  }

  void draw_bars(const Series& s, std::size_t number) {
    const double room = bin_ * 0.8, width = room / static_cast<double>(bar_series(chart_));
    for (const auto& p : s.points) {
      if (!finite(p) || p.second == 0) continue;
      const double left = p.first - room / 2 + width * static_cast<double>(number);
      canvas_.area(std::vector<Point>{at(left, 0), at(left, p.second), at(left + width * 0.94, p.second),
                                      at(left + width * 0.94, 0)},
                   {Paint::Of::series, s.colour}, s.faint ? 0.45 : 1);
    }
  }

  void draw_dots(const Series& s) {
    for (const auto& p : s.points)
      if (finite(p)) canvas_.dot(at(p.first, p.second), frame_.line * 1.5, {Paint::Of::series, s.colour}, told(s, p));
  }

  void draw_line(const Series& s) {
    std::vector<Point> points;
    for (const auto& p : s.points)
      if (finite(p)) points.push_back(at(p.first, p.second));
    Stroke stroke{{Paint::Of::series, s.colour}, s.faint ? frame_.line * 0.6 : frame_.line, s.faint ? 0.45 : 1};
    if (chart_.dashed && !s.faint) stroke.dashes = dashes_of(s.colour);
    canvas_.line(points, stroke);
    if (s.faint || s.points.size() > most_dots) return;
    for (const auto& p : s.points)
      if (finite(p)) canvas_.dot(at(p.first, p.second), frame_.line * 1.5, {Paint::Of::series, s.colour}, told(s, p));
  }

  static std::string told(const Series& s, const std::pair<double, double>& p) {
    return (s.name.empty() ? "" : s.name + ": ") + number(p.second) + " at " + number(p.first);
  }

  const Chart& chart_;
  Frame frame_;
  Canvas& canvas_;
  std::vector<double> x_ticks_, y_ticks_;
  Range x_, y_;
  double bin_ = 1;
  double widest_ = 0;  ///< of the numbers on the left
};

/// Title and legend above the chart. Gives back how high they are.
double draw_head(const Chart& chart, const Frame& frame, Canvas& canvas) {
  double y = frame.letters * 2;
  canvas.text({frame.left, y}, chart.title, {{Paint::Of::ink}, frame.letters * 1.45, Lettering::Anchor::start, true});
  const double sample = 30, gap = 10, row = frame.letters * 1.7;
  double x = frame.left;
  y += row * 1.1;
  bool any = false;
  for (const Series& s : chart.series) {
    if (s.name.empty()) continue;
    const Lettering letters{.size = frame.letters};
    const double width = sample + gap + canvas.width_of(s.name, letters) + 2.4 * gap;
    if (any && x + width > frame.width - frame.right) x = frame.left, y += row;
    any = true;
    const double middle = y - frame.letters * 0.33;
    const Paint paint{Paint::Of::series, s.colour};
    if (s.marks == Marks::line) {
      const std::vector<double> dashes = chart.dashed && !s.faint ? dashes_of(s.colour) : std::vector<double>();
      canvas.line(std::vector<Point>{{x, middle}, {x + sample, middle}},
                  {paint, frame.line * (s.faint ? 0.6 : 1.2), s.faint ? 0.45 : 1, dashes});
    } else {
      canvas.area(std::vector<Point>{{x + sample / 2 - 5, middle - 5},
                                     {x + sample / 2 + 5, middle - 5},
                                     {x + sample / 2 + 5, middle + 5},
                                     {x + sample / 2 - 5, middle + 5}},
                  paint, 1);
    }
    canvas.text({x + sample + gap, y}, s.name, letters);
    x += width;
  }
  return y + (any ? row * 0.8 : 0);
}

}  // namespace

Points thinned(const Points& points, std::size_t most) {
  if (points.size() <= most || most == 0) return points;
  Points out;
  for (std::size_t i = 0; i < most; ++i) {
    const std::size_t begin = i * points.size() / most, end = (i + 1) * points.size() / most;
    double x = 0, y = 0;
    for (std::size_t j = begin; j < end; ++j) x += points[j].first, y += points[j].second;
    const auto n = static_cast<double>(end - begin);
    out.emplace_back(x / n, y / n);
  }
  return out;
}

std::vector<double> nice_ticks(double low, double high, int count) {
  if (!(high > low)) high = low + std::max(1e-6, std::abs(low) * 0.1);
  const double raw = (high - low) / std::max(1, count - 1);
  const double power = std::pow(10, std::floor(std::log10(raw)));
  double step = 10 * power;
  for (const double multiple : {1.0, 2.0, 2.5, 5.0}) {
    if (multiple * power >= raw * 0.999) {
      step = multiple * power;
      break;
    }
  }
  std::vector<double> ticks;
  const double first = std::floor(low / step + 1e-9), last = std::ceil(high / step - 1e-9);
  // Counted, since beyond 2^53 one more is the same number.
  const auto many = static_cast<int>(std::clamp(last - first, 0.0, 100.0));
  for (int i = 0; i <= many; ++i) ticks.push_back((first + i) * step);
  return ticks;
}

bool anything_in(const Chart& chart) { return !ranges_of(chart).x.empty(); }

std::string chart_elements(const Chart& chart) {
  SvgCanvas canvas(SvgCanvas::Colours::of_page);
  Drawing(chart, Frame(), canvas).draw();
  return canvas.elements();
}

void draw_picture(const Chart& chart, Canvas& canvas) {
  Frame frame{picture_width, picture_height, 84, 28, 0, 58, 15, 2.4};
  canvas.area(std::vector<Point>{{0, 0}, {frame.width, 0}, {frame.width, frame.height}, {0, frame.height}},
              {Paint::Of::ground}, 1);
  frame.top = std::min(draw_head(chart, frame, canvas), frame.height / 2);
  frame.bottom += 4;
  Drawing(chart, frame, canvas).draw();
}

std::string chart_svg(const Chart& chart, int width) {
  SvgCanvas canvas(SvgCanvas::Colours::written);
  draw_picture(chart, canvas);
  const std::string side = std::to_string(width),
                    height = std::to_string(std::lround(width * picture_height / picture_width));
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + side +
         "\" height=\"" + height +
         "\" viewBox=\"0 0 960 600\" font-family=\"system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif\" "
         "role=\"img\" aria-label=\"" +
         escaped(chart.title) + "\">\n<title>" + escaped(chart.title) + "</title>\n" + canvas.elements() + "</svg>\n";
}

}  // namespace nephron::host
