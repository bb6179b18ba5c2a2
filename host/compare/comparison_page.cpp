#include <algorithm>
#include <cmath>
#include <numeric>

#include <host/compare/comparison.hpp>
#include <host/compare/plots.hpp>
#include <host/compare/words.hpp>
#include <host/html/html.hpp>
#include <host/util/counted.hpp>
#include <host/util/printable.hpp>
#include <host/util/progress.hpp>
#include <host/util/shell_word.hpp>

namespace nephron::host {

namespace {

using Rows = std::vector<std::vector<std::string>>;

std::string in_card(const std::string& body) { return "<div class=\"card\">" + body + "</div>\n"; }
std::string folded(const std::string& title, const std::string& body) {
  return "<div class=\"card\"><details><summary>" + escaped(title) + "</summary>" + body + "</details></div>\n";
}
std::string soft(const std::string& text) { return "<p class=\"soft\">" + escaped(text) + "</p>\n"; }
std::string fault(const std::string& text) { return "<p class=\"fault\">" + escaped(text) + "</p>\n"; }

std::string head(const Comparison& c) {
  std::string names;
  for (std::size_t s = 1; s < c.sides.size(); ++s)
    names += (s == 1 ? "" : s + 1 == c.sides.size() ? " and " : ", ") + c.sides[s].name;
  std::string out = "<h1>" + escaped(names) + " beside " + escaped(c.sides[0].name) + "</h1>\n";
  out += soft(value_title(c.request.metric) + ": " + measured_words(c));
  if (!c.ignored.empty()) {
    std::string why = "<p class=\"fault\"><b>" + escaped(anyway_words(c)) + ".</b></p>";
    for (const Objection& o : c.ignored) why += fault(o.text);
    out += in_card(why);
  }
  out += "<div class=\"tiles\">\n";
  for (const Finding& f : c.findings)
    out += "<div class=\"tile\"><b>" + escaped(verdict_words(f, c)) + "</b><span>" + escaped(c.sides[f.side].name) +
           ": " + escaped(signed_figure(f.difference)) + ", p " + escaped(p_words(f.adjusted)) + "</span></div>\n";
  return out + "</div>\n";
}

std::string pooled(const Comparison& c) {
  Rows rows;
  for (const PooledFigure& p : c.pooled.sides)
    rows.push_back({escaped(c.sides[p.side].name), figure(p.first), figure(p.value), signed_figure(p.value - p.first),
                    interval_words(p.difference.bca), interval_words(p.difference.percentile)});
  if (rows.empty()) return "";
  return html_table({"", escaped(c.sides[0].name), "it", "difference", "BCa interval, 95 %", "percentile interval"},
                    rows) +
         soft(pooled_words(c));
}

std::string verdicts(const Comparison& c) {
  const bool shares = !c.first_share.empty();
  std::vector<std::string> columns{"",
                                   escaped(value_title(c.request.metric)),
                                   "difference",
                                   "95 % interval",
                                   c.findings.size() > 1 ? "p (Holm)" : "p",
                                   "donors won"};
  if (shares) columns.emplace_back("first");
  columns.emplace_back("verdict");
  std::vector<std::string> base{escaped(c.sides[0].name), figure(c.findings[0].first), "baseline", "", "", ""};
  if (shares) base.push_back(escaped(percent(c.first_share[0])));
  base.emplace_back();
  Rows rows{base}, others;
  for (const Finding& f : c.findings) {
    const std::string name = escaped(c.sides[f.side].name);
    std::vector<std::string> row{name,
                                 figure(f.mean),
                                 signed_figure(f.difference),
                                 interval_words(f.claimed()),
                                 escaped(p_words(f.adjusted)),
                                 std::to_string(f.won) + " of " + std::to_string(f.differences.size())};
    if (shares) row.push_back(escaped(percent(c.first_share[f.side])));
    row.push_back("<b>" + escaped(verdict_words(f, c)) + "</b>");
    rows.push_back(std::move(row));
    others.push_back({name, figure(f.student.dz), interval_words(f.bootstrap.bca),
                      interval_words(f.bootstrap.percentile), escaped(p_words(f.ranks.p)),
                      escaped(p_words(f.student.p))});
  }
  std::string notes = soft(method_words(c));
  if (shares) notes += soft(first_words(c));
  for (const Objection& o : c.varied) notes += soft("Meant to differ: " + o.text);
  for (const std::string& note : c.notes) notes += soft(note);
  return "<h2>Verdict</h2>\n" + in_card(html_table(columns, rows) + notes) +
         folded("Beside it: effect sizes, bootstrap, other tests",
                html_table({"", "dz", "BCa interval, 95 %", "percentile interval", "Wilcoxon p", "Student p"}, others) +
                    soft("Not what the verdict goes by" + weights_words(c) + ".") + pooled(c));
}

std::string seeds(const Comparison& c) {
  Rows rows;
  for (const Finding& f : c.findings)
    if (f.recipe)
      rows.push_back({escaped(c.sides[f.side].name), figure(std::sqrt(f.recipe->of_donors)),
                      figure(std::sqrt(f.recipe->of_seeds)), figure(std::sqrt(f.recipe->of_rest)),
                      interval_words(f.interval), escaped(p_words(f.p))});
  return rows.empty() ? ""
                      : "<h2>Spread</h2>\n" +
                            in_card(html_table({"", "between donors", "between seeds", "rest",
                                                "interval for these weights alone", "p for these weights alone"},
                                               rows) +
                                    soft("Standard deviations of a run's figures."));
}

std::string settle(const Comparison& c) {
  Rows rows;
  bool stated = false;
  const Settling* last = nullptr;
  for (std::size_t i = 0; i < c.findings.size(); ++i) {
    if (!c.settlings[i] || !is_open(c.findings[i].verdict)) continue;
    const Settling& s = *c.settlings[i];
    stated = s.stated, last = &s;
    rows.push_back({escaped(c.sides[c.findings[i].side].name), signed_figure(s.effect), escaped(percent(s.power)),
                    s.enough_seeds ? needed_words(s.donors, true) : "-",
                    s.enough_seeds ? needed_words(s.slides, s.slides_known) : "-",
                    needed_words(s.seeds, s.seeds_known)});
  }
  if (rows.empty()) return "";
  const auto now = [](double n) { return " (now " + short_number(std::round(n * 10) / 10) + ")"; };
  return "<h2>What would settle it</h2>\n" +
         in_card(html_table({"for a power of 80 %, one of", "to find", "power now", "donors" + now(last->now.donors),
                             "slides a donor" + now(last->now.slides), "seeds a side" + seeds_now_words(c)},
                            rows) +
                 soft(effect_words(c, stated)) + (dip_words(c).empty() ? "" : soft(dip_words(c))));
}

std::string exploratory(const Comparison& c) {
  Rows rows;
  for (const auto& of_value : c.exploratory)
    for (const Finding& f : of_value)
      rows.push_back({escaped(f.value + (f.of_class.empty() ? "" : ", " + f.of_class)), escaped(c.sides[f.side].name),
                      figure(f.first), figure(f.mean), signed_figure(f.difference), interval_words(f.claimed()),
                      escaped(p_words(f.claimed_p()))});
  if (rows.empty()) return "";
  return "<h2>Classes and other values</h2>\n" +
         in_card(html_table({"", "", "baseline", "mean", "difference", "95 % interval", "p, not adjusted"}, rows) +
                 soft("Exploratory: whoever looks at many p finds small ones. No verdicts."));
}

std::string tables(const Comparison& c) {
  std::vector<std::string> columns{"donor", "slides"};
  std::vector<std::vector<double>> values;
  for (const Side& side : c.sides)
    columns.push_back(escaped(side.name)), values.push_back(donors_of_side(c.table, side));
  std::vector<std::size_t> order(c.table.donors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const std::vector<double>& by = c.findings[0].differences;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return by[a] < by[b]; });
  Rows donors, slides;
  for (const std::size_t d : order) {
    std::vector<std::string> row{escaped(c.table.donors[d]),
                                 std::to_string(std::count(c.table.donor_of.begin(), c.table.donor_of.end(), d))};
    for (const auto& of_side : values) row.push_back(figure(of_side[d]));
    donors.push_back(std::move(row));
    for (std::size_t s = 0; s < c.table.slides.size(); ++s) {
      if (c.table.donor_of[s] != d) continue;
      std::vector<std::string> of_slide{escaped(c.table.slides[s].slide), escaped(c.table.donors[d])};
      for (const auto& of_run : c.table.by_slide) of_slide.push_back(figure(of_run[s]));
      slides.push_back(std::move(of_slide));
    }
  }
  std::vector<std::string> slide_columns{"slide", "donor"};
  for (const MeasuredRun& run : c.runs) slide_columns.push_back(escaped(run.name));
  return "<h2>Donors and slides</h2>\n" +
         folded(counted(donors.size(), "donor") + ", by their difference", html_table(columns, donors)) +
         folded(counted(slides.size(), "slide"), html_table(slide_columns, slides));
}

/// A viewer's address as it was given: whatever else, no script.
bool is_address(const std::string& text) { return text.starts_with("http://") || text.starts_with("https://"); }

std::string changed_objects(const Comparison& c, const ObjectDifferences& o, const std::string& viewer) {
  constexpr std::size_t most = 2000;
  Rows rows;
  for (const ChangedObject& x : o.changed) {
    if (rows.size() == most) break;
    const std::string fragment = view_fragment(x, c.runs[0]);
    const bool is_true = x.fate == ObjectFate::won || x.fate == ObjectFate::lost;
    const std::string place = std::to_string(x.box.x) + ", " + std::to_string(x.box.y) + ", " +
                              std::to_string(x.box.width) + " x " + std::to_string(x.box.height);
    rows.push_back(
        {text_of(x.fate), escaped(x.slide.slide), escaped(x.donor), escaped(x.of_class), place,
         is_true ? figure(x.iou_before) + " to " + figure(x.iou_after) : "confidence " + figure(x.confidence),
         is_address(viewer) ? "<a href=\"" + escaped(viewer.substr(0, viewer.find('#')) + fragment) + "\">show</a>"
                            : "<code>" + escaped(fragment) + "</code>"});
  }
  const std::string more =
      o.changed.size() > most
          ? soft("The first " + std::to_string(most) + " of " + std::to_string(o.changed.size()) + "; --json has all.")
          : "";
  return folded(
      c.sides[o.side].name + ": " + counted(o.changed.size(), "object") + " with another fate",
      html_table({"fate", "slide", "donor", "class", "where (level that was measured)", "IoU", "viewer"}, rows) + more);
}

std::string objects(const Comparison& c, const std::string& viewer) {
  if (c.objects.empty()) return "";
  Rows rows;
  for (const ObjectDifferences& o : c.objects)
    rows.push_back(
        {escaped(c.sides[o.side].name), std::to_string(o.kept), std::to_string(o.won), std::to_string(o.lost),
         std::to_string(o.missed), escaped(percent(o.share_before) + " to " + percent(o.share_after)),
         interval_words(o.share_difference.bca), escaped(p_words(o.found.claimed_p())), count_words(o.false_before),
         count_words(o.false_after), false_words(o), escaped(p_words(o.false_ones.claimed_p()))});
  std::string out = "<h2>Objects</h2>\n" +
                    in_card(html_table({"", "kept", "won", "lost", "missed by both", "found", "of all, BCa interval",
                                        "p", "false: before", "now", "kept, new, gone", "p"},
                                       rows) +
                            soft("A true object is found where one of its class overlaps it by an IoU of 0.5. "
                                 "Of several seeds: by more than half of them; false ones are their mean. "
                                 "p: by donors, as above; exploratory."));
  if (!is_address(viewer))
    out += soft("To look at one: nephron view " + shell_word(c.runs[0].folder.string()) +
                ", and its #... behind the address that this prints; --viewer ADDRESS makes links of them.");
  for (const ObjectDifferences& o : c.objects) out += changed_objects(c, o, viewer);
  return out;
}

std::string cost(const Comparison& c) {
  std::vector<std::string> head{""};
  Rows rows(c.runs.size());
  for (std::size_t i = 0; i < c.runs.size(); ++i) rows[i].push_back(escaped(c.runs[i].name));
  for (const CostColumn& column : cost_columns(c)) {
    head.push_back(column.title);
    for (std::size_t i = 0; i < c.runs.size(); ++i) rows[i].push_back(escaped(column.cells[i]));
  }
  head.insert(head.end(), {"machine", "processor"});
  for (std::size_t i = 0; i < c.runs.size(); ++i)
    rows[i].insert(rows[i].end(), {escaped(c.costs[i].host), escaped(c.costs[i].processor)});
  return "<h2>Cost</h2>\n" + in_card(html_table(head, rows) + soft(cost_words(c)));
}

std::string configuration(const Comparison& c) {
  std::vector<std::string> columns{"key"};
  for (const Side& side : c.sides) columns.push_back(escaped(side.name));
  Rows rows;
  for (const ConfigDifference& d : c.differences) {
    std::vector<std::string> row{escaped(d.key) + (d.named || c.request.vary.empty()
                                                       ? ""
                                                       : " <span class=\"fault\">not named by --vary</span>")};
    for (const auto& entry : d.sides)
      row.push_back("<code>" + escaped(entry.value) + "</code>" +
                    (entry.place.empty() ? "" : "<br><span class=\"soft\">" + escaped(entry.place) + "</span>"));
    rows.push_back(std::move(row));
  }
  return "<h2>Configuration</h2>\n" +
         (rows.empty() ? in_card(soft("Alike, but for names and seeds.")) : in_card(html_table(columns, rows)));
}

}  // namespace

std::string comparison_page(const Comparison& c, const std::string& viewer) {
  std::string charts;
  for (const Finding& f : c.findings) charts += slopes_plot(c, f);
  charts += power_plot(c) + cost_plot(c);
  const std::string body = head(c) + "<div style=\"margin-top:24px\">" + forest_plot(c) + "</div>\n" + verdicts(c) +
                           "<h2>Donors, power, cost</h2>\n<div class=\"charts two\">" + charts + "</div>\n" + seeds(c) +
                           settle(c) + exploratory(c) + tables(c) + objects(c, viewer) + cost(c) + configuration(c);
  return html_page(
      value_title(c.request.metric) + ": " + c.sides[0].name + " and " + counted(c.sides.size() - 1, "other"), body);
}

}  // namespace nephron::host
