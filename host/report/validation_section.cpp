#include <host/report/validation_section.hpp>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>

#include <host/html/html.hpp>
#include <host/report/figures.hpp>
#include <host/report/object_section.hpp>
#include <host/util/counted.hpp>
#include <host/util/printable.hpp>

namespace nephron::host {

namespace {

constexpr std::size_t most_lines = 40;  // faint ones of a chart

using Cells = std::vector<std::string>;

std::string class_text(const ValidationRecord& record, const std::string& name) {
  return name.empty() ? "all" : record.classes.size() > 1 ? escaped(name) : "";
}

/// What makes the figures better, or fewer, than a person may think.
std::string cautions(const ValidationRecord& record) {
  std::string out;
  if (!record.complete)
    out +=
        "<p class=\"fault\">The validation was interrupted: figures are of the slides that it had measured by then."
        "</p>\n";
  if (!record.weights_since.empty())
    out += "<p class=\"fault\">The run was trained further since it was measured: " + escaped(record.weights_since) +
           ". <code>nephron validate --overwrite</code> measures what it has now.</p>\n";
  for (const auto& [slide, why] : record.failures)
    out += "<p class=\"fault\">Slide <b>" + escaped(slide) + "</b> was not measured: " + escaped(why) + "</p>\n";
  return out;
}

std::string how_it_was_made(const ValidationRecord& record) {
  std::string folds, tta;
  for (const int fold : record.folds) folds += (folds.empty() ? "" : ", ") + std::to_string(fold);
  for (const std::string& flip : record.tta) tta += (tta.empty() ? "" : ", ") + flip;
  return "<p class=\"soft\">Each slide was predicted by the network of the fold that held it out: " +
         counted(record.slides.size(), "slide") + ", fold" + (record.folds.size() == 1 ? " " : "s ") + escaped(folds) +
         " · " + escaped(record.checkpoint) + " weights · " + escaped(record.precision) + " · " + escaped(tta) +
         ". Deviations are of the population.</p>\n";
}

std::string searched_table(const ValidationRecord& record) {
  if (record.searched.empty()) return {};
  std::vector<Cells> rows;
  for (const ValidationRecord::Searched& s : record.searched) {
    const std::size_t n = s.curves.size();
    rows.push_back({escaped(s.class_name), std::to_string(n), figure(s.best_threshold, "%.2f"),
                    with_deviation(s.at_best, n), with_deviation(s.own_best, n), with_deviation(s.at_half, n),
                    s.crossed ? with_deviation(*s.crossed, n) : "–"});
  }
  return "<div class=\"card\">" +
         html_table({"Dice out of fold", "slides", "best threshold", "there", "at each slide's best", "at 0.5",
                     "at the other folds' best"},
                    rows) +
         "<p class=\"soft note\">The best threshold, and each slide's own, were chosen on these slides: those figures "
         "are optimistic. Nothing chose 0.5, and the last is each fold's at the threshold that the other folds choose: "
         "neither flatters.</p></div>\n";
}

Chart threshold_chart(const ValidationRecord::Searched& s, int colour) {
  Chart chart{.title = "Dice by threshold: " + s.class_name, .x_label = "threshold", .y_label = "Dice"};
  Band band{{}, colour};
  Points mean;
  for (std::size_t i = 0; i < s.thresholds.size(); ++i) {
    mean.emplace_back(s.thresholds[i], s.mean[i]);
    if (s.curves.size() < 2) continue;
    double low = 1, high = 0;
    for (const auto& curve : s.curves) low = std::min(low, curve[i]), high = std::max(high, curve[i]);
    band.at.push_back({s.thresholds[i], low, high});
  }
  if (!band.at.empty()) chart.bands.push_back(std::move(band));
  for (std::size_t k = 0; k < s.curves.size() && k < most_lines && s.curves.size() > 1; ++k) {
    Points line;
    for (std::size_t i = 0; i < s.thresholds.size(); ++i) line.emplace_back(s.thresholds[i], s.curves[k][i]);
    chart.series.push_back({"", std::move(line), colour, true});
  }
  chart.series.push_back({s.curves.size() > 1 ? "mean, and the range of slides" : "", std::move(mean), colour});
  return chart;
}

int class_colour_of(const ValidationRecord& record, const std::string& name) {
  return static_cast<int>(std::find(record.classes.begin(), record.classes.end(), name) - record.classes.begin());
}

std::string capitalised(std::string name) {
  if (!name.empty()) name[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(name[0])));
  return name;
}

/// Curves of metrics: those of one name, such as reliability, share a chart.
std::string curve_charts(const ValidationRecord& record) {
  std::vector<std::pair<std::string, std::string>> kinds;  // metric, name
  for (const ValidationRecord::Curve& c : record.curves)
    if (const std::pair kind{c.metric, c.name}; std::find(kinds.begin(), kinds.end(), kind) == kinds.end())
      kinds.push_back(kind);
  std::string out;
  for (const auto& [metric, name] : kinds) {
    Chart chart{.title = capitalised(name) + " (" + metric + ")"};
    for (const ValidationRecord::Curve& c : record.curves) {
      if (c.metric != metric || c.name != name) continue;
      chart.x_label = c.x_label, chart.y_label = c.y_label;
      chart.series.push_back({class_text(record, c.class_name), c.points, class_colour_of(record, c.class_name)});
    }
    chart.x = chart.y = Limits{0, 1};
    chart.diagonal = name == "reliability";
    out += chart_html(chart);
  }
  return out;
}

std::string charts(const ValidationRecord& record) {
  std::string out;
  for (const ValidationRecord::Searched& s : record.searched)
    out += chart_html(threshold_chart(s, class_colour_of(record, s.class_name)));
  out += curve_charts(record);
  return out.empty() ? out : "<div class=\"charts\">\n" + out + "</div>\n";
}

std::string values_table(const ValidationRecord& record) {
  if (record.values.empty()) return {};
  const bool several = record.classes.size() > 1;
  Cells head{"value", "pooled", "", "mean of slides", "slides"};
  if (several) head.insert(head.begin() + 1, "class");
  std::vector<Cells> rows;
  for (const ValidationRecord::Pooled& v : record.values) {
    rows.push_back({escaped(v.name), measured(v.value), "over " + escaped(v.over),
                    with_deviation({v.mean, v.deviation}, static_cast<std::size_t>(v.slides)),
                    std::to_string(v.slides)});
    if (several) rows.back().insert(rows.back().begin() + 1, class_text(record, v.class_name));
  }
  return "<div class=\"card\">" + html_table(head, rows) + "</div>\n";
}

/// Of each class's true objects, as what they were found: values as_CLASS of the metric confusion, in the classes'
/// order.
std::string confusion_table(const ValidationRecord& record) {
  std::vector<Cells> rows;
  for (const std::string& name : record.classes) {
    Cells row{escaped(name)};
    for (const ValidationRecord::Pooled& v : record.values)
      if (v.metric == "confusion" && v.class_name == name)
        row.push_back(
            "<span class=\"shade\" style=\"--share:" + figure(std::isfinite(v.value) ? 100 * v.value : 0, "%.0f") +
            "%\">" + figure(v.value, "%.3f") + "</span>");
    if (row.size() == record.classes.size() + 2) rows.push_back(std::move(row));
  }
  if (rows.empty()) return {};
  Cells head{"true objects of"};
  for (const std::string& name : record.classes) head.push_back("found as " + escaped(name));
  head.push_back("not found");
  return "<h2>Confusion</h2>\n<div class=\"card confusion\">" + html_table(head, rows) +
         "<p class=\"soft note\">Shares of each class's true objects, matched one to one whatever their classes.</p>"
         "</div>\n";
}

/// Values that slides have, in the order of the tables.
std::vector<std::string> value_names(const ValidationRecord& record) {
  std::vector<std::string> out;
  std::set<std::string> known;
  for (const ValidatedSlide& slide : record.slides)
    for (const auto& of_class : slide.classes)
      for (const auto& [name, value] : of_class.values)
        if (known.insert(name).second) out.push_back(name);
  return out;
}

double value_of(const ValidatedSlide::OfClass& of_class, const std::string& name) {
  for (const auto& [key, value] : of_class.values)
    if (key == name) return value;
  return unknown;
}

std::string slides_table(const ValidationRecord& record) {
  const std::vector<std::string> names = value_names(record);
  const bool several = record.classes.size() > 1;
  Cells head{"slide", "dataset", "fold"};
  if (several) head.push_back("class");
  for (const std::string& name : names) head.push_back(escaped(name));
  std::vector<Cells> rows;
  for (const ValidatedSlide& slide : record.slides)
    for (const auto& of_class : slide.classes) {
      const auto known = [](const auto& v) { return std::isfinite(v.second); };
      if (of_class.name.empty() && std::none_of(of_class.values.begin(), of_class.values.end(), known)) continue;
      Cells row{escaped(slide.id), escaped(slide.dataset), slide.fold < 0 ? "–" : std::to_string(slide.fold)};
      if (several) row.push_back(class_text(record, of_class.name));
      for (const std::string& name : names) {
        const double value = value_of(of_class, name);
        row.push_back(name == "dice" && std::isfinite(value) ? with_bar(value) : measured(value));
      }
      rows.push_back(std::move(row));
    }
  if (rows.empty()) return {};
  return "<h2>Slides</h2>\n<div class=\"card sortable\">" + html_table(head, rows) + "</div>\n";
}

}  // namespace

std::string validation_tiles(const ValidationRecord& record) {
  std::string out;
  // At the threshold that was set before, not at the one that is best for these very slides.
  const auto add = [&](const Spread& dice, std::int64_t slides, const std::string& of_class,
                       const std::string& threshold) {
    out += tile(with_deviation(dice, static_cast<std::size_t>(slides)),
                "Dice out of fold" + (record.classes.size() > 1 ? " of " + of_class : "") + ", mean of " +
                    counted(slides, "slide") + (threshold.empty() ? "" : ", threshold " + threshold));
  };
  for (std::size_t c = 0; c < record.classes.size(); ++c) {
    const std::string& name = record.classes[c];
    if (const auto* dice = record.value("dice", name); dice != nullptr && dice->slides > 0) {
      add({dice->mean, dice->deviation}, dice->slides, name,
          c < record.thresholds.size() ? short_number(record.thresholds[c]) : "");
      continue;
    }
    for (const ValidationRecord::Searched& s : record.searched)
      if (s.class_name == name && !s.curves.empty())
        add(s.at_half, static_cast<std::int64_t>(s.curves.size()), name, "0.5");
  }
  return out + object_tiles(record);
}

std::string validation_section(const ValidationRecord& record) {
  return "<h2>Out of fold</h2>\n" + how_it_was_made(record) + cautions(record) + searched_table(record) +
         charts(record) + values_table(record) + confusion_table(record) + slides_table(record) +
         object_section(record);
}

std::string no_validation(const std::string& command) {
  return "<h2>Out of fold</h2>\n<div class=\"card\"><p>This run was not validated yet. What its networks say of the "
         "slides that each of them held out, slide by slide and object by object, with pictures of the worst and the "
         "best, comes of</p><pre>" +
         escaped(command) + "</pre></div>\n";
}

}  // namespace nephron::host
