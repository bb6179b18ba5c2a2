#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include <host/compare/comparison.hpp>
#include <host/compare/words.hpp>
#include <host/stats/sign_flip.hpp>
#include <host/util/counted.hpp>
#include <host/util/printable.hpp>
#include <host/util/progress.hpp>
#include <host/util/text_table.hpp>

namespace nephron::host {

namespace {

constexpr std::size_t most_rows = 30;

using Rows = std::vector<std::vector<std::string>>;

/// Columns two spaces apart: names to the left, figures to the right, what comes last to the left again.
std::string columns(const Rows& rows, const std::string& lead = "  ") {
  const std::vector<std::size_t> widths = column_widths(rows);
  std::string out;
  for (const auto& row : rows) {
    std::string line = lead;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string space(widths[i] - row[i].size(), ' ');
      const bool left = i == 0 || i + 1 == widths.size();
      line += (i > 0 ? "  " : "") + (left ? row[i] + space : space + row[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

/// Lines of at most 100 characters.
std::string wrapped(const std::string& text, const std::string& lead) {
  constexpr std::size_t most = 100;
  std::string out = lead;
  std::size_t at = lead.size();
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t end = std::min(text.find(' ', i), text.size());
    if (at + end - i > most && at > lead.size()) out += "\n" + lead, at = lead.size();
    else if (i > 0) out += " ", ++at;
    out += text.substr(i, end - i), at += end - i;
    i = end + 1;
  }
  return out + "\n";
}

std::string verdicts(const Comparison& c) {
  std::vector<std::string> head{"",
                                value_title(c.request.metric),
                                "difference",
                                "95 % interval",
                                c.findings.size() > 1 ? "p (Holm)" : "p",
                                "donors won"};
  const bool shares = !c.first_share.empty();
  if (shares) head.emplace_back("first");
  head.emplace_back("verdict");
  Rows rows{head};
  rows.push_back({c.sides[0].name, figure(c.findings[0].first), "baseline"});
  if (shares) rows[1].insert(rows[1].end(), {"", "", "", percent(c.first_share[0])});
  for (const Finding& f : c.findings) {
    std::vector<std::string> row{
        c.sides[f.side].name,        figure(f.mean),
        signed_figure(f.difference), interval_words(f.claimed()),
        p_words(f.adjusted),         std::to_string(f.won) + " of " + std::to_string(f.differences.size())};
    if (shares) row.push_back(percent(c.first_share[f.side]));
    row.push_back(verdict_words(f, c));
    rows.push_back(std::move(row));
  }
  std::string out = columns(rows) + "\n" + wrapped(method_words(c), "  ");
  if (shares) out += wrapped(first_words(c), "  ");
  return out;
}

std::string beside(const Comparison& c) {
  Rows rows{{"", "dz", "BCa interval, 95 %", "Wilcoxon p", "Student p"}};
  for (const Finding& f : c.findings)
    rows.push_back({c.sides[f.side].name, figure(f.student.dz), interval_words(f.bootstrap.bca), p_words(f.ranks.p),
                    p_words(f.student.p)});
  for (auto& row : rows) row.emplace_back();
  return "\nBeside it" + weights_words(c) + " (not what the verdict goes by)\n" + columns(rows);
}

std::string pooled(const Comparison& c) {
  Rows rows{{"", c.sides[0].name, "it", "difference", "BCa interval, 95 %", ""}};
  for (const PooledFigure& p : c.pooled.sides)
    rows.push_back({c.sides[p.side].name, figure(p.first), figure(p.value), signed_figure(p.value - p.first),
                    interval_words(p.difference.bca), ""});
  return rows.size() == 1 ? "" : "\n" + pooled_words(c) + "\n" + columns(rows);
}

std::string seeds(const Comparison& c) {
  Rows rows{{"", "between donors", "between seeds", "rest", "for these weights alone", "p", ""}};
  for (const Finding& f : c.findings)
    if (f.recipe)
      rows.push_back({c.sides[f.side].name, figure(std::sqrt(f.recipe->of_donors)),
                      figure(std::sqrt(f.recipe->of_seeds)), figure(std::sqrt(f.recipe->of_rest)),
                      interval_words(f.interval), p_words(f.p), ""});
  return rows.size() == 1 ? "" : "\nSpread (standard deviations) of a run's " + c.request.metric + "\n" + columns(rows);
}

std::string settle(const Comparison& c) {
  Rows rows;
  bool stated = false;
  for (std::size_t i = 0; i < c.findings.size(); ++i) {
    const Finding& f = c.findings[i];
    if (!c.settlings[i] || !is_open(f.verdict)) continue;
    const Settling& s = *c.settlings[i];
    stated = s.stated;
    if (rows.empty())
      rows.push_back({"", "to find", "power now", "donors (now " + std::to_string(s.now.donors) + ")",
                      "slides a donor (now " + short_number(std::round(s.now.slides * 10) / 10) + ")",
                      "seeds a side" + seeds_now_words(c), ""});
    rows.push_back({c.sides[f.side].name, signed_figure(s.effect), percent(s.power),
                    s.enough_seeds ? needed_words(s.donors, true) : "-",
                    s.enough_seeds ? needed_words(s.slides, s.slides_known) : "-", needed_words(s.seeds, s.seeds_known),
                    ""});
  }
  if (rows.empty()) return "";
  return "\nWhat would settle it: for a power of 80 %, one of\n" + columns(rows) +
         wrapped(effect_words(c, stated), "  ") + (dip_words(c).empty() ? "" : wrapped(dip_words(c), "  "));
}

std::string exploratory(const Comparison& c) {
  if (c.exploratory.empty()) return "";
  Rows rows{{"", "", "baseline", "difference", "95 % interval", "p, not adjusted", ""}};
  std::size_t more = 0;
  for (const auto& of_value : c.exploratory)
    for (const Finding& f : of_value) {
      if (rows.size() > most_rows) {
        ++more;
        continue;
      }
      rows.push_back({f.value + (f.of_class.empty() ? "" : ", " + f.of_class),
                      c.findings.size() > 1 ? c.sides[f.side].name : "", figure(f.first), signed_figure(f.difference),
                      interval_words(f.claimed()), p_words(f.claimed_p()), ""});
    }
  return "\nExploratory: no verdicts\n" + columns(rows) +
         (more > 0 ? "  ... and " + std::to_string(more) + " more: --json\n" : "");
}

std::string donors(const Comparison& c) {
  if (c.table.donors.size() > most_rows)
    return "\nDonors: " + std::to_string(c.table.donors.size()) + " (--csv --rows donors lists them)\n";
  std::vector<std::string> head{"", "slides"};
  for (const Side& side : c.sides) head.push_back(side.name);
  if (c.sides.size() == 2) head.emplace_back("difference");
  head.emplace_back();
  Rows rows{head};
  std::vector<std::size_t> order(c.table.donors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const std::vector<double>& by = c.findings[0].differences;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return by[a] < by[b]; });
  std::vector<std::vector<double>> values;
  for (const Side& side : c.sides) values.push_back(donors_of_side(c.table, side));
  for (const std::size_t d : order) {
    std::vector<std::string> row{c.table.donors[d],
                                 std::to_string(std::count(c.table.donor_of.begin(), c.table.donor_of.end(), d))};
    for (const auto& of_side : values) row.push_back(figure(of_side[d]));
    if (c.sides.size() == 2) row.push_back(signed_figure(by[d]));
    row.emplace_back();
    rows.push_back(std::move(row));
  }
  return "\nDonors, by their difference\n" + columns(rows);
}

std::string objects(const Comparison& c) {
  if (c.objects.empty()) return "";
  Rows rows{{"", "kept", "won", "lost", "missed by both", "p", "false: before", "now", "kept, new, gone", "p", ""}};
  for (const ObjectDifferences& o : c.objects)
    rows.push_back({c.sides[o.side].name, std::to_string(o.kept), std::to_string(o.won), std::to_string(o.lost),
                    std::to_string(o.missed), p_words(o.found.claimed_p()), count_words(o.false_before),
                    count_words(o.false_after), false_words(o), p_words(o.false_ones.claimed_p()), ""});
  return "\nObjects at IoU 0.5, beside those of " + c.sides[0].name +
         " (p by donors, exploratory; --out page.html lists each)\n" + columns(rows);
}

std::string cost(const Comparison& c) {
  Rows rows(c.runs.size() + 1);
  rows[0].emplace_back();
  for (std::size_t i = 0; i < c.runs.size(); ++i) rows[i + 1].push_back(c.runs[i].name);
  for (const CostColumn& column : cost_columns(c)) {
    rows[0].push_back(column.title);
    for (std::size_t i = 0; i < c.runs.size(); ++i) rows[i + 1].push_back(column.cells[i]);
  }
  for (auto& row : rows) row.emplace_back();
  return "\nCost\n" + columns(rows) + wrapped(cost_words(c), "  ");
}

std::string configuration(const Comparison& c) {
  if (c.differences.empty()) return "\nConfiguration: alike\n";
  std::string out = "\nConfiguration differs\n";
  for (const ConfigDifference& d : c.differences) {
    out += "  " + d.key + (d.named || c.request.vary.empty() ? "" : "   (not named by --vary)") + "\n";
    Rows rows;
    for (std::size_t i = 0; i < d.sides.size(); ++i)
      rows.push_back(
          {c.sides[i].name, d.sides[i].value + (d.sides[i].place.empty() ? "" : "  (" + d.sides[i].place + ")")});
    out += columns(rows, "    ");
  }
  return out;
}

}  // namespace

std::string comparison_text(const Comparison& c) {
  std::string out;
  if (!c.ignored.empty()) {
    out += "NOT COMPARABLE, compared anyway:\n";
    for (const Objection& o : c.ignored) out += wrapped(o.text + "  [" + o.key + "]", "  ");
    out += "\n";
  }
  out += value_title(c.request.metric) + ": " + measured_words(c) + "\n\n" + verdicts(c);
  for (const Objection& o : c.varied) out += wrapped("Meant to differ: " + o.text, "  ");
  for (const std::string& note : c.notes) out += wrapped(note, "  ");
  return out + seeds(c) + settle(c) + exploratory(c) + donors(c) + objects(c) + cost(c) + beside(c) + pooled(c) +
         configuration(c);
}

}  // namespace nephron::host
