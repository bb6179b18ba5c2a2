// CSV and LaTeX.
#include <charconv>
#include <cmath>

#include <host/compare/comparison.hpp>
#include <host/compare/words.hpp>
#include <host/util/csv_field.hpp>

namespace nephron::host {

namespace {

/// The shortest text that reads as the same number; "" for none.
std::string exact(double v) {
  if (!std::isfinite(v)) return "";
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, v).ptr};
}

std::string line(const std::vector<std::string>& cells) {
  std::string out;
  for (std::size_t i = 0; i < cells.size(); ++i) out += (i > 0 ? "," : "") + csv_field(cells[i]);
  return out + "\n";
}

std::string sides_csv(const Comparison& c) {
  std::string out = line({"side", "value", "class", "mean", "baseline_mean", "difference", "low", "high", "p", "p_holm",
                          "donors", "donors_won", "dz", "verdict", "these_weights_low", "these_weights_high",
                          "these_weights_p", "not_comparable"});
  const std::string mark = anyway_words(c);
  const auto add = [&](const Finding& f) {
    const bool named = f.verdict != Verdict::exploratory;
    // Only where that is another figure.
    const auto alone = [&](double v) { return f.recipe ? exact(v) : ""; };
    out += line({c.sides[f.side].name, f.value, f.of_class, exact(f.mean), exact(f.first), exact(f.difference),
                 exact(f.claimed().low), exact(f.claimed().high), exact(f.claimed_p()), named ? exact(f.adjusted) : "",
                 std::to_string(f.differences.size()), std::to_string(f.won), exact(f.student.dz),
                 named ? verdict_words(f, c) : "exploratory", alone(f.interval.low), alone(f.interval.high), alone(f.p),
                 mark});
  };
  for (const Finding& f : c.findings) add(f);
  for (const auto& of_value : c.exploratory)
    for (const Finding& f : of_value) add(f);
  return out;
}

std::string donors_csv(const Comparison& c) {
  std::vector<std::string> head{"donor", "donor_known"};
  std::vector<std::vector<double>> values;
  for (const Side& side : c.sides) head.push_back(side.name), values.push_back(donors_of_side(c.table, side));
  head.emplace_back("not_comparable");
  std::string out = line(head);
  for (std::size_t d = 0; d < c.table.donors.size(); ++d) {
    std::vector<std::string> row{c.table.donors[d], c.table.donor_known[d] ? "1" : "0"};
    for (const auto& of_side : values) row.push_back(exact(of_side[d]));
    row.push_back(anyway_words(c));
    out += line(row);
  }
  return out;
}

std::string slides_csv(const Comparison& c) {
  std::vector<std::string> head{"dataset", "slide", "donor"};
  for (const MeasuredRun& run : c.runs) head.push_back(run.name);
  head.emplace_back("not_comparable");
  std::string out = line(head);
  for (std::size_t s = 0; s < c.table.slides.size(); ++s) {
    const SlideKey& key = c.table.slides[s];
    std::vector<std::string> row{key.dataset, key.slide, c.table.donors[c.table.donor_of[s]]};
    for (const auto& of_run : c.table.by_slide) row.push_back(exact(of_run[s]));
    row.push_back(anyway_words(c));
    out += line(row);
  }
  return out;
}

/// Text that LaTeX prints as it is. Controls are left out.
std::string latex(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20) continue;
    switch (c) {
      case '\\':
        out += "\\textbackslash{}";
        break;
      case '~':
        out += "\\textasciitilde{}";
        break;
      case '^':
        out += "\\textasciicircum{}";
        break;
      case '<':
        out += "\\textless{}";
        break;
      case '>':
        out += "\\textgreater{}";
        break;
      case '#':
      case '$':
      case '%':
      case '&':
      case '_':
      case '{':
      case '}':
        out += std::string("\\") + c;
        break;
      default:
        out += c;
    }
  }
  return out;
}

/// With a minus of mathematics.
std::string latex_number(const std::string& words) {
  if (words == "-" || words.empty()) return "--";
  return words[0] == '<' ? "$<$" + words.substr(1) : words[0] == '+' || words[0] == '-' ? "$" + words + "$" : words;
}

std::string latex_interval(const Interval& i) {
  if (!std::isfinite(i.low)) return "--";
  return "[" + latex_number(signed_figure(i.low)) + ", " + latex_number(signed_figure(i.high)) + "]";
}

}  // namespace

std::string comparison_csv(const Comparison& c, const std::string& rows) {
  return rows == "donors" ? donors_csv(c) : rows == "slides" ? slides_csv(c) : sides_csv(c);
}

std::string comparison_latex(const Comparison& c) {
  std::string out = "% \\usepackage{booktabs}\n";
  if (!c.ignored.empty()) {
    out += "% NOT COMPARABLE, compared anyway:\n";
    for (const Objection& o : c.ignored) out += "%   " + latex(o.text) + "\n";
  }
  out += "\\begin{table}\n  \\centering\n  \\begin{tabular}{lrrlrrl}\n    \\toprule\n    Run & " +
         latex(value_title(c.request.metric)) +
         " & Difference & 95\\,\\% interval & $p$ & Donors won & Verdict \\\\\n    \\midrule\n";
  out += "    " + latex(c.sides[0].name) + " & " + figure(c.findings[0].first) + " & & & & & baseline \\\\\n";
  for (const Finding& f : c.findings)
    out += "    " + latex(c.sides[f.side].name) + " & " + figure(f.mean) + " & " +
           latex_number(signed_figure(f.difference)) + " & " + latex_interval(f.claimed()) + " & " +
           latex_number(p_words(f.adjusted)) + " & " + std::to_string(f.won) + "/" +
           std::to_string(f.differences.size()) + " & " + latex(verdict_words(f, c)) + " \\\\\n";
  out += "    \\bottomrule\n  \\end{tabular}\n  \\caption{" +
         latex(value_title(c.request.metric) + " of " + measured_words(c)) + ". " + latex(method_words(c));
  if (!c.ignored.empty()) out += " \\textbf{" + latex(anyway_words(c)) + ".}";
  return out + "}\n\\end{table}\n";
}

}  // namespace nephron::host
