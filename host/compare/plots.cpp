#include <host/compare/plots.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include <host/compare/words.hpp>
#include <host/html/chart.hpp>
#include <host/html/html.hpp>
#include <host/util/progress.hpp>

namespace nephron::host {

namespace {

std::string at(double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", v);
  return text;
}

std::string tick(double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", std::abs(v) < 1e-12 ? 0.0 : v);
  return text;
}

std::string line(double x1, double y1, double x2, double y2, const std::string& style) {
  return "<line x1=\"" + at(x1) + "\" y1=\"" + at(y1) + "\" x2=\"" + at(x2) + "\" y2=\"" + at(y2) + "\" " + style +
         "/>";
}

std::string label(double x, double y, const std::string& anchor, const std::string& text,
                  const std::string& style = "") {
  return "<text x=\"" + at(x) + "\" y=\"" + at(y) + "\" text-anchor=\"" + anchor + "\" " + style + ">" + escaped(text) +
         "</text>";
}

std::string dot(double x, double y, double r, const std::string& colour, const std::string& title) {
  return "<circle cx=\"" + at(x) + "\" cy=\"" + at(y) + "\" r=\"" + at(r) + "\" fill=\"" + colour + "\"><title>" +
         escaped(title) + "</title></circle>";
}

std::string card(const std::string& title, double width, double height, const std::string& body,
                 const std::string& below = "") {
  return "<div class=\"card\"><h3>" + escaped(title) + "</h3><svg viewBox=\"0 0 " + at(width) + " " + at(height) +
         "\" role=\"img\" aria-label=\"" + escaped(title) + "\">" + body + "</svg>" +
         (below.empty() ? "" : "<p class=\"soft\">" + below + "</p>") + "</div>\n";
}

/// From values to places.
struct Scale {
  double low = 0, high = 1, from = 0, to = 1;
  double operator()(double v) const { return from + (v - low) / (high - low) * (to - from); }
};

/// Ticks that span what is shown, and the scale that they make.
std::vector<double> settle_ticks(Scale& scale, int count) {
  const std::vector<double> ticks = nice_ticks(scale.low, scale.high, count);
  scale.low = std::min(scale.low, ticks.front()), scale.high = std::max(scale.high, ticks.back());
  if (!(scale.high > scale.low)) scale.high = scale.low + 1e-9;
  return ticks;
}

std::string colour_of(const Finding& f) {
  switch (f.verdict) {
    case Verdict::better:
      return "var(--good)";
    case Verdict::worse:
      return "var(--bad)";
    case Verdict::exploratory:
      return "var(--soft)";
    default:
      return "var(--s0)";
  }
}

std::string shortened(const std::string& name, std::size_t most) {
  if (name.size() <= most) return name;
  std::size_t end = most - 3;  // not within a character
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0U) == 0x80U) --end;
  return name.substr(0, end) + "...";
}

constexpr double row_height = 34;

std::string forest_row(const Finding& f, const std::string& name, const Scale& x, double y) {
  const Interval& i = f.claimed();
  const bool bounded = std::isfinite(i.low);
  const double low = bounded ? x(i.low) : x.from, high = bounded ? x(i.high) : x.to;
  const bool named = f.verdict != Verdict::exploratory;
  const std::string colour = colour_of(f), dash = bounded ? "" : " stroke-dasharray=\"3 4\"";
  std::string out =
      label(x.from - 16, y + 4, "end", shortened(name, 30), named ? "style=\"fill:var(--ink);font-weight:600\"" : "");
  out += line(low, y, high, y,
              "stroke=\"" + colour + "\" stroke-width=\"" + (named ? "3" : "2") + "\" stroke-linecap=\"round\"" + dash);
  out += dot(x(f.difference), y, named ? 6 : 4, colour,
             name + ": " + signed_figure(f.difference) + ", " + interval_words(i));
  const std::string told =
      signed_figure(f.difference) +
      (bounded ? "  [" + signed_figure(i.low) + ", " + signed_figure(i.high) + "]" : "  (no bounds)");
  return out + label(x.to + 16, y + 4, "start", told);
}

}  // namespace

std::string forest_plot(const Comparison& c) {
  std::vector<std::pair<std::string, const Finding*>> rows;
  for (const Finding& f : c.findings) {
    rows.emplace_back(c.sides[f.side].name, &f);
    for (const auto& of_value : c.exploratory)
      for (const Finding& other : of_value)
        if (other.side == f.side && other.value == c.request.metric) rows.emplace_back(other.of_class, &other);
  }
  constexpr double width = 940, left = 250, right = 240;
  const double height = row_height * static_cast<double>(rows.size()) + 62;
  Scale x{0, 0, left, width - right};
  for (const auto& [name, f] : rows)
    for (const double v : {f->claimed().low, f->claimed().high, f->difference})
      if (std::isfinite(v)) x.low = std::min(x.low, v), x.high = std::max(x.high, v);
  if (c.request.margin) x.low = std::min(x.low, -*c.request.margin), x.high = std::max(x.high, *c.request.margin);
  // An interval without ends lies on both sides of 0, and has to look so.
  if (std::any_of(rows.begin(), rows.end(), [](const auto& row) { return !std::isfinite(row.second->claimed().low); }))
    x.high = std::max(x.high, -x.low), x.low = std::min(x.low, -x.high);
  const std::vector<double> ticks = settle_ticks(x, 6);
  const double bottom = height - 46;
  std::string out;
  if (c.request.margin)
    out += "<rect x=\"" + at(x(-*c.request.margin)) + "\" y=\"0\" width=\"" +
           at(x(*c.request.margin) - x(-*c.request.margin)) + "\" height=\"" + at(bottom) +
           "\" fill=\"var(--grid)\"><title>the margin</title></rect>";
  for (const double t : ticks)
    out += line(x(t), 0, x(t), bottom, "stroke=\"var(--grid)\"") + label(x(t), bottom + 18, "middle", tick(t));
  out += line(x(0), 0, x(0), bottom, "stroke=\"var(--soft)\" stroke-width=\"1.5\"");
  for (std::size_t i = 0; i < rows.size(); ++i)
    out += forest_row(*rows[i].second, rows[i].first, x, row_height * (static_cast<double>(i) + 0.5));
  const bool lower = c.good_when == GoodWhen::lower;
  out += label(x.from, bottom + 38, "start", lower ? "better" : "worse") +
         label(x.to, bottom + 38, "end", lower ? "worse" : "better");
  out += label((x.from + x.to) / 2, bottom + 38, "middle",
               "difference of " + c.request.metric + " from " + shortened(c.sides[0].name, 30));
  return card("Differences", width, height, out);
}

std::string slopes_plot(const Comparison& c, const Finding& f) {
  constexpr double width = 460, height = 330, left = 66, right = 66, top = 30, bottom = 16;
  const std::vector<double> before = donors_of_side(c.table, c.sides[0]),
                            after = donors_of_side(c.table, c.sides[f.side]);
  Scale y{before[0], before[0], height - bottom, top};
  for (const auto* values : {&before, &after})
    for (const double v : *values) y.low = std::min(y.low, v), y.high = std::max(y.high, v);
  const std::vector<double> ticks = settle_ticks(y, 5);
  std::string out;
  for (const double t : ticks)
    out += line(left, y(t), width - right, y(t), "stroke=\"var(--grid)\"") + label(left - 10, y(t) + 4, "end", tick(t));
  for (std::size_t d = 0; d < before.size(); ++d) {
    const double gain = c.good_when == GoodWhen::lower ? before[d] - after[d] : after[d] - before[d];
    const std::string colour = gain > 0 ? "var(--good)" : gain < 0 ? "var(--bad)" : "var(--soft)";
    const std::string title = c.table.donors[d] + ": " + figure(before[d]) + " to " + figure(after[d]);
    out += "<g>" +
           line(left, y(before[d]), width - right, y(after[d]),
                "stroke=\"" + colour + "\" stroke-width=\"1.6\" stroke-opacity=\".75\"") +
           dot(left, y(before[d]), 3.5, colour, title) + dot(width - right, y(after[d]), 3.5, colour, title) + "</g>";
  }
  const std::string mean = "stroke=\"var(--ink)\" stroke-width=\"2.5\" stroke-dasharray=\"6 4\"";
  out += line(left, y(f.first), width - right, y(f.mean), mean);
  out += label(left, 14, "start", shortened(c.sides[0].name, 26), "style=\"fill:var(--ink)\"") +
         label(width - right, 14, "end", shortened(c.sides[f.side].name, 26), "style=\"fill:var(--ink)\"");
  return card("Donors: " + shortened(c.sides[0].name, 30) + " to " + shortened(c.sides[f.side].name, 30), width, height,
              out,
              std::to_string(f.won) + " of " + std::to_string(f.differences.size()) + " donors won; dashed: the mean");
}

namespace {
/// Of what is decided no more is needed; of too few seeds there is no power, whatever the donors.
bool is_drawn(const Comparison& c, std::size_t finding) {
  const auto& s = c.settlings[finding];
  return s && s->enough_seeds && is_open(c.findings[finding].verdict);
}
}  // namespace

std::string power_plot(const Comparison& c) {
  constexpr double width = 460, height = 330, left = 66, right = 24, top = 16, bottom = 48;
  // Donors by their logarithm: what one side needs may be a hundred times what another does.
  Scale x{0, 0, left, width - right}, y{0, 1, height - bottom, top};
  for (std::size_t i = 0; i < c.findings.size(); ++i) {
    if (!is_drawn(c, i)) continue;
    const auto& curve = c.settlings[i]->curve;
    x.low = std::log(curve.front().first), x.high = std::max(x.high, std::log(curve.back().first));
  }
  if (!(x.high > x.low)) return "";
  std::string out;
  for (const double t : {0.0, 0.2, 0.4, 0.6, 0.8, 1.0})
    out += line(left, y(t), width - right, y(t),
                t == Settling::wanted ? "stroke=\"var(--soft)\" stroke-dasharray=\"4 4\"" : "stroke=\"var(--grid)\"") +
           label(left - 10, y(t) + 4, "end", percent(t));
  for (const int t : {6, 10, 20, 50, 100, 200, 500, 1000})
    if (std::log(t) <= x.high + 1e-9) out += label(x(std::log(t)), height - bottom + 18, "middle", std::to_string(t));
  out += label((left + width - right) / 2, height - 8, "middle", "donors");
  std::string legend;
  for (std::size_t i = 0; i < c.findings.size(); ++i) {
    if (!is_drawn(c, i)) continue;
    const std::string colour = "var(--s" + std::to_string(i % 6) + ")", name = c.sides[c.findings[i].side].name;
    std::string points, dots;
    for (const auto& [donors, power] : c.settlings[i]->curve) {
      const double px = x(std::log(donors)), py = y(power);
      points += at(px) + "," + at(py) + " ";
      dots += dot(px, py, 3, colour, name + ": " + percent(power) + " with " + std::to_string(donors) + " donors");
    }
    out += "<polyline fill=\"none\" stroke=\"" + colour + "\" stroke-width=\"2\" points=\"" + points + "\"/>" + dots;
    legend += "<span><i style=\"background:" + colour + "\"></i>" +
              escaped(name + ", to find " + signed_figure(c.settlings[i]->effect)) + "</span>";
  }
  return card("Power by donors", width, height, out, "<span class=\"legend\">" + legend + "</span>");
}

std::string cost_plot(const Comparison& c) {
  struct Point {
    double seconds, value;
    const Side* side;
  };
  std::vector<Point> points;
  for (std::size_t s = 0; s < c.sides.size(); ++s)
    if (const auto seconds = mean_cost(c, c.sides[s], &RunCost::seconds))
      points.push_back({*seconds, s == 0 ? c.findings[0].first : c.findings[s - 1].mean, &c.sides[s]});
  if (points.size() < 2) return "";
  constexpr double width = 460, height = 330, left = 66, right = 24, top = 16, bottom = 48;
  Scale x{0, 0, left, width - right}, y{points[0].value, points[0].value, height - bottom, top};
  for (const Point& p : points)
    x.high = std::max(x.high, p.seconds / 3600), y.low = std::min(y.low, p.value), y.high = std::max(y.high, p.value);
  const std::vector<double> across = settle_ticks(x, 5), up = settle_ticks(y, 5);
  std::string out;
  for (const double t : up)
    out += line(left, y(t), width - right, y(t), "stroke=\"var(--grid)\"") + label(left - 10, y(t) + 4, "end", tick(t));
  for (const double t : across) out += label(x(t), height - bottom + 18, "middle", tick(t));
  out += line(left, height - bottom, width - right, height - bottom, "stroke=\"var(--line)\"");
  out += label((left + width - right) / 2, height - 8, "middle", "hours of training, all folds");
  for (std::size_t i = 0; i < points.size(); ++i) {
    const Point& p = points[i];
    const double px = x(p.seconds / 3600), py = y(p.value);
    const bool to_left = px > width * 0.6;
    out += dot(px, py, 6, "var(--s" + std::to_string(i % 6) + ")",
               p.side->name + ": " + figure(p.value) + ", " + duration_text(p.seconds));
    out += label(px + (to_left ? -11 : 11), py + 4, to_left ? "end" : "start", shortened(p.side->name, 24),
                 "style=\"fill:var(--ink)\"");
  }
  const bool ranks = std::all_of(c.costs.begin(), c.costs.end(), [](const RunCost& r) { return r.time_counts(); });
  return card("Cost against " + value_title(c.request.metric), width, height, out,
              ranks ? "All had their machines to themselves."
                    : "Not all are known to have had their machines to "
                      "themselves: no ranking.");
}

}  // namespace nephron::host
