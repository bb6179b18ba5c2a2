#include <host/html/chart.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include <host/html/html.hpp>

namespace nephron::host {

namespace {

constexpr double width = 460, height = 250, left = 58, right = 14, top = 10, bottom = 40;

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  void add(double v) { low = std::min(low, v), high = std::max(high, v); }
};

std::string number(double v) {
  char text[32];
  const double size = std::abs(v);
  if (size != 0 && (size < 1e-3 || size >= 1e6)) std::snprintf(text, sizeof text, "%.1e", v);
  else std::snprintf(text, sizeof text, "%.4g", v);
  return text;
}

std::string place(double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", v);
  return text;
}

bool finite(const std::pair<double, double>& p) { return std::isfinite(p.first) && std::isfinite(p.second); }

class Plot {
 public:
  Plot(const Range& x, const Range& y)
      : x_ticks_(nice_ticks(x.low, x.high, 5)), y_ticks_(nice_ticks(y.low, y.high, 5)) {
    x_ = {x.low, std::max(x.high, x.low + 1e-12)};
    y_ = {std::min(y.low, y_ticks_.front()), std::max(y.high, y_ticks_.back())};
    if (y_.high <= y_.low) y_.high = y_.low + 1;
  }

  std::string axes(const std::string& x_label) const {
    std::string out;
    for (const double t : y_ticks_) {
      const std::string y = place(down(t));
      out += "<line x1=\"" + place(left) + "\" x2=\"" + place(width - right) + "\" y1=\"" + y + "\" y2=\"" + y +
             "\" stroke=\"var(--grid)\"/>";
      out += "<text x=\"" + place(left - 8) + "\" y=\"" + place(down(t) + 4) + "\" text-anchor=\"end\">" + number(t) +
             "</text>";
    }
    for (const double t : x_ticks_) {
      if (t < x_.low || t > x_.high) continue;
      out += "<text x=\"" + place(across(t)) + "\" y=\"" + place(height - bottom + 18) + "\" text-anchor=\"middle\">" +
             number(t) + "</text>";
    }
    const std::string base = place(height - bottom);
    out += "<line x1=\"" + place(left) + "\" x2=\"" + place(width - right) + "\" y1=\"" + base + "\" y2=\"" + base +
           "\" stroke=\"var(--line)\"/>";
    return out + "<text x=\"" + place((left + width - right) / 2) + "\" y=\"" + place(height - 4) +
           "\" text-anchor=\"middle\">" + escaped(x_label) + "</text>\n";
  }

  std::string line(const Series& series) const {
    const std::string colour = "var(--s" + std::to_string(series.colour % 6) + ")";
    std::string points, dots;
    for (const auto& p : series.points) {
      if (!finite(p)) continue;
      points += place(across(p.first)) + "," + place(down(p.second)) + " ";
      if (!series.faint && series.points.size() <= 60)
        dots += "<circle cx=\"" + place(across(p.first)) + "\" cy=\"" + place(down(p.second)) + "\" r=\"3\" fill=\"" +
                colour + "\"><title>" + escaped(series.name) + ": " + number(p.second) + " at " + number(p.first) +
                "</title></circle>";
    }
    return "<polyline fill=\"none\" stroke=\"" + colour + "\" stroke-width=\"" + (series.faint ? "1.2" : "2") +
           "\" stroke-opacity=\"" + (series.faint ? ".45" : "1") + "\" stroke-linejoin=\"round\" points=\"" + points +
           "\"/>" + dots + "\n";
  }

 private:
  double across(double x) const { return left + (x - x_.low) / (x_.high - x_.low) * (width - left - right); }
  double down(double y) const { return height - bottom - (y - y_.low) / (y_.high - y_.low) * (height - top - bottom); }

  std::vector<double> x_ticks_, y_ticks_;
  Range x_, y_;
};

std::string legend(const std::vector<Series>& series) {
  std::string out = "<div class=\"legend\">";
  for (const Series& s : series)
    out += "<span><i style=\"background:var(--s" + std::to_string(s.colour % 6) + (s.faint ? ");opacity:.45" : ")") +
           "\"></i>" + escaped(s.name) + "</span>";
  return out + "</div>";
}

}  // namespace

std::vector<std::pair<double, double>> thinned(const std::vector<std::pair<double, double>>& points, std::size_t most) {
  if (points.size() <= most || most == 0) return points;
  std::vector<std::pair<double, double>> out;
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

std::string chart_html(const Chart& chart) {
  Range x, y;
  for (const Series& s : chart.series) {
    for (const auto& p : s.points) {
      if (finite(p)) x.add(p.first), y.add(p.second);
    }
  }
  if (x.high < x.low) return {};
  const Plot plot(x, y);
  std::string svg = "<svg viewBox=\"0 0 460 250\" role=\"img\" aria-label=\"" + escaped(chart.title) + "\">\n" +
                    plot.axes(chart.x_label);
  for (const Series& s : chart.series) svg += plot.line(s);
  return "<div class=\"card\"><h3>" + escaped(chart.title) + "</h3>" + svg + "</svg>" +
         (chart.series.size() > 1 ? legend(chart.series) : "") + "</div>\n";
}

}  // namespace nephron::host
