#include <host/report/object_section.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <tuple>

#include <host/html/html.hpp>
#include <host/report/figures.hpp>
#include <host/util/counted.hpp>

namespace nephron::host {

namespace {

constexpr double same_object = 0.5;  // IoU from which two are one
constexpr int bins = 16;

struct Numbers {
  std::int64_t truth = 0, found = 0, matched = 0, touched = 0, taken_for_another = 0, invented = 0;
};

bool matches(const ValidatedObject& o) { return o.other && o.other_class == o.class_index && o.iou >= same_object; }

std::vector<Numbers> numbers_of(const ValidationRecord& record) {
  std::vector<Numbers> out(record.classes.size());
  for (const ValidatedObject& o : record.objects) {
    Numbers& n = out[o.class_index];
    ++(o.found ? n.found : n.truth);
    if (o.found) n.invented += o.other ? 0 : 1;
    else if (matches(o)) ++n.matched;
    else if (o.other && o.other_class != o.class_index) ++n.taken_for_another;
    else if (o.other) ++n.touched;
  }
  return out;
}

std::string of_all(std::int64_t some, std::int64_t all) {
  return std::to_string(some) +
         (all > 0 ? " <span class=\"soft\">(" +
                        figure(100.0 * static_cast<double>(some) / static_cast<double>(all), "%.0f") + " %)</span>"
                  : "");
}

std::string counts_table(const ValidationRecord& record) {
  const std::vector<Numbers> numbers = numbers_of(record);
  std::vector<std::vector<std::string>> rows;
  for (std::size_t c = 0; c < numbers.size(); ++c) {
    const Numbers& n = numbers[c];
    const std::int64_t missed = n.truth - n.matched - n.touched - n.taken_for_another;
    rows.push_back({escaped(record.classes[c]), std::to_string(n.truth), of_all(n.matched, n.truth),
                    of_all(n.touched, n.truth), of_all(missed, n.truth), std::to_string(n.found),
                    of_all(n.invented, n.found)});
    if (record.classes.size() > 1) rows.back().insert(rows.back().begin() + 5, of_all(n.taken_for_another, n.truth));
  }
  std::vector<std::string> head{"objects of", "true",  "matched (IoU of 0.5 or more)", "touched",
                                "missed",     "found", "where nothing is true"};
  if (record.classes.size() > 1) head.insert(head.begin() + 5, "most in common with another class");
  return "<div class=\"card\">" + html_table(head, rows) + "</div>\n";
}

/// Diameters in um where all slides say how large their pixels are, else in px of the level that was measured.
class Sizes {
 public:
  explicit Sizes(const ValidationRecord& record)
      : known_(std::all_of(record.objects.begin(), record.objects.end(),
                           [](const ValidatedObject& o) { return std::isfinite(o.diameter); })) {}
  double of(const ValidatedObject& o) const {
    return known_ ? o.diameter : 2 * std::sqrt(static_cast<double>(o.area) / std::numbers::pi);
  }
  const char* label() const { return known_ ? "diameter, µm" : "diameter, px"; }

 private:
  bool known_;
};

std::string histogram(const ValidationRecord& record, std::size_t c, const Sizes& sizes) {
  double most = 0;
  for (const ValidatedObject& o : record.objects)
    if (o.class_index == c) most = std::max(most, sizes.of(o));
  if (most <= 0) return {};
  const std::vector<double> ticks = nice_ticks(0, most, bins);
  const double width = ticks[1] - ticks[0];
  const auto many = static_cast<std::size_t>(most / width) + 1;
  std::vector<std::int64_t> truth(many), found(many);
  for (const ValidatedObject& o : record.objects) {
    if (o.class_index != c) continue;
    const auto bin = std::min(many - 1, static_cast<std::size_t>(sizes.of(o) / width));
    ++(o.found ? found : truth)[bin];
  }
  const auto bars = [&](const char* name, const std::vector<std::int64_t>& counts, int colour) {
    Series out{name, {}, colour, false, Marks::bars};
    for (std::size_t i = 0; i < counts.size(); ++i)
      out.points.emplace_back((static_cast<double>(i) + 0.5) * width, static_cast<double>(counts[i]));
    return out;
  };
  Chart chart{.title = "Sizes of objects: " + record.classes[c],
              .x_label = sizes.label(),
              .series = {bars("true", truth, 1), bars("found", found, 0)},
              .y_label = "objects"};
  return chart_html(chart);
}

/// Matched objects: found against true.
std::string scatter(const ValidationRecord& record, std::size_t c, const Sizes& sizes) {
  constexpr std::size_t most_dots = 1500;
  std::map<std::tuple<std::size_t, std::int64_t>, const ValidatedObject*> found;
  for (const ValidatedObject& o : record.objects)
    if (o.found) found[{o.slide, o.number}] = &o;
  Series dots{"", {}, 0, false, Marks::dots};
  double most = 0;
  for (const ValidatedObject& o : record.objects) {
    if (o.found || o.class_index != c || !matches(o)) continue;
    const auto other = found.find({o.slide, *o.other});
    if (other == found.end()) continue;
    dots.points.emplace_back(sizes.of(o), sizes.of(*other->second));
    most = std::max({most, dots.points.back().first, dots.points.back().second});
  }
  if (dots.points.empty()) return {};
  if (dots.points.size() > most_dots) dots.points.resize(most_dots);
  const Limits limits{0, most * 1.05};
  Chart chart{.title = "Matched objects: " + record.classes[c],
              .x_label = std::string("true ") + sizes.label(),
              .series = {std::move(dots)},
              .y_label = "found",
              .x = limits,
              .y = limits,
              .diagonal = true};
  return chart_html(chart);
}

}  // namespace

std::string object_tiles(const ValidationRecord& record) {
  std::string out;
  const std::vector<Numbers> numbers = numbers_of(record);
  for (std::size_t c = 0; c < numbers.size(); ++c) {
    if (numbers[c].truth == 0) continue;
    out += tile(std::to_string(numbers[c].matched) + " of " + std::to_string(numbers[c].truth),
                (record.classes.size() > 1 ? record.classes[c] + " objects" : std::string("objects")) + " matched; " +
                    std::to_string(numbers[c].invented) + " found where nothing is");
  }
  return out;
}

std::string object_section(const ValidationRecord& record) {
  if (record.objects.empty()) return {};
  const Sizes sizes(record);
  std::string charts;
  for (std::size_t c = 0; c < record.classes.size(); ++c)
    charts += histogram(record, c, sizes) + scatter(record, c, sizes);
  return "<h2>Objects</h2>\n" + counts_table(record) + "<div class=\"charts\">\n" + charts + "</div>\n";
}

}  // namespace nephron::host
