#include <host/sweep/parallel_plot.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include <host/html/chart.hpp>
#include <host/html/escaped.hpp>
#include <host/util/printable.hpp>

namespace nephron::host {

namespace {

constexpr double width = 940, height = 330, left = 70, right = 70, top = 52, bottom = 24;
constexpr std::size_t most_letters = 18;

std::optional<double> number_of(const std::string& text) {
  if (text.empty()) return std::nullopt;
  char* end = nullptr;
  const double out = std::strtod(text.c_str(), &end);
  return *end == '\0' && std::isfinite(out) ? std::optional(out) : std::nullopt;
}

/// How an axis turns its values to places.
struct Scale {
  bool numbers = true, logarithmic = false;
  double low = 0, high = 0;
  std::vector<std::string> names;  ///< where they are no numbers, from the foot up

  explicit Scale(const ParallelPlot::Axis& axis) : logarithmic(axis.logarithmic) {
    std::vector<double> known;
    for (const std::string& value : axis.values) {
      if (value.empty()) continue;
      if (const auto n = number_of(value)) known.push_back(*n);
      else numbers = false;
      if (std::find(names.begin(), names.end(), value) == names.end()) names.push_back(value);
    }
    if (known.empty()) {
      numbers = false;
      return;
    }
    low = *std::min_element(known.begin(), known.end()), high = *std::max_element(known.begin(), known.end());
    logarithmic = logarithmic && low > 0;
  }

  std::optional<double> at(const std::string& value) const {
    if (value.empty()) return std::nullopt;
    if (numbers) return share(*number_of(value));
    const auto place = static_cast<double>(std::find(names.begin(), names.end(), value) - names.begin());
    return names.size() < 2 ? 0.5 : place / static_cast<double>(names.size() - 1);
  }
  double share(double v) const {
    if (low == high) return 0.5;
    return logarithmic ? std::log(v / low) / std::log(high / low) : (v - low) / (high - low);
  }
};

std::string text_number(double v) {
  char text[24];
  std::snprintf(text, sizeof text, "%.1f", v);
  return text;
}

std::string cut(const std::string& text) {
  std::size_t letters = 0, at = 0;
  for (; at < text.size(); ++at)
    if ((static_cast<unsigned char>(text[at]) & 0xC0) != 0x80 && letters++ == most_letters) break;
  return at < text.size() ? text.substr(0, at) + "…" : text;
}

double x_of(std::size_t axis, std::size_t count) {
  return left + (width - left - right) * static_cast<double>(axis) / static_cast<double>(count - 1);
}
double y_of(double place) { return top + (height - top - bottom) * (1 - place); }

std::string label(double x, double y, const std::string& text, const char* anchor, bool bold = false) {
  return "<text x=\"" + text_number(x) + "\" y=\"" + text_number(y) + "\" text-anchor=\"" + anchor + "\"" +
         // Lines run behind the words.
         " style=\"paint-order:stroke;stroke:var(--card);stroke-width:3px" +
         (bold ? ";fill:var(--ink);font-weight:600" : "") + "\">" + escaped(text) + "</text>\n";
}

std::string axis_svg(const ParallelPlot::Axis& axis, std::size_t number, std::size_t count) {
  const double x = x_of(number, count);
  const bool last = number + 1 == count;
  std::string out = "<line x1=\"" + text_number(x) + "\" x2=\"" + text_number(x) + "\" y1=\"" + text_number(top) +
                    "\" y2=\"" + text_number(height - bottom) + "\" stroke=\"var(--soft)\" stroke-width=\"1\"/>\n";
  // Neighbours stand in two lines, so that long names have room.
  const char* const anchor = number == 0 ? "start" : last ? "end" : "middle";
  const double shift = number == 0 ? -left + 4 : last ? right - 4 : 0;
  out += label(x + shift, number % 2 == 0 ? 16 : 32, cut(axis.name), anchor, true);
  const Scale scale(axis);
  const auto tick = [&](const std::string& text, double place) {
    out += label(x + (last ? 6 : -6), y_of(place) + 4, cut(text), last ? "start" : "end");
  };
  if (!scale.numbers) {
    for (const std::string& name : scale.names)
      if (scale.names.size() <= 12) tick(name, *scale.at(name));
    return out;
  }
  if (scale.low == scale.high) return tick(short_number(scale.low), 0.5), out;
  std::vector<double> ticks{scale.low, scale.high};
  if (scale.logarithmic) {
    ticks.push_back(std::sqrt(scale.low * scale.high));
  } else {
    ticks.clear();
    for (const double t : nice_ticks(scale.low, scale.high, 5))
      if (t >= scale.low && t <= scale.high) ticks.push_back(t);
  }
  for (const double t : ticks) {
    char text[24];
    std::snprintf(text, sizeof text, "%.3g", t);
    tick(text, scale.share(t));
  }
  return out;
}

}  // namespace

std::vector<std::optional<double>> places_on(const ParallelPlot::Axis& axis) {
  const Scale scale(axis);
  std::vector<std::optional<double>> out;
  for (const std::string& value : axis.values) out.push_back(scale.at(value));
  return out;
}

std::string parallel_plot_html(const std::string& title, const ParallelPlot& plot) {
  const std::size_t count = plot.axes.size();
  if (count < 2 || plot.lines.empty()) return {};
  std::vector<std::vector<std::optional<double>>> places;
  for (const ParallelPlot::Axis& axis : plot.axes) places.push_back(places_on(axis));
  std::string axes, lines;
  for (std::size_t a = 0; a < count; ++a) axes += axis_svg(plot.axes[a], a, count);
  for (std::size_t i = 0; i < plot.lines.size(); ++i) {
    const ParallelPlot::Line& line = plot.lines[i];
    std::string points;
    for (std::size_t a = 0; a < count; ++a)
      if (const auto place = places[a][i])
        points += (points.empty() ? "" : " ") + text_number(x_of(a, count)) + "," + text_number(y_of(*place));
    const std::string colour = line.failed        ? "var(--fault)"
                               : line.colour >= 0 ? "var(--s" + std::to_string(line.colour % 6) + ")"
                                                  : "var(--soft)";
    lines += "<polyline points=\"" + points + "\" fill=\"none\" stroke=\"" + colour + "\" stroke-width=\"" +
             (line.colour >= 0 ? "2.5" : "1.2") + "\" stroke-opacity=\"" +
             (line.colour >= 0 ? "1"
              : line.failed    ? ".7"
                               : ".35") +
             "\"" + (line.failed ? " stroke-dasharray=\"4 4\"" : "") + "><title>" + escaped(line.told) +
             "</title></polyline>\n";
  }
  return "<div class=\"card\"><h3>" + escaped(title) + "</h3><svg viewBox=\"0 0 " + text_number(width) + " " +
         text_number(height) + "\" role=\"img\" aria-label=\"" + escaped(title) + "\">\n" + lines + axes +
         "</svg></div>\n";
}

}  // namespace nephron::host
