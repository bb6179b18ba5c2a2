#include <algorithm>
#include <cmath>
#include <limits>

#include <host/compare/words.hpp>
#include <host/html/html.hpp>
#include <host/html/sorting.hpp>
#include <host/sweep/parallel_plot.hpp>
#include <host/sweep/sweep_result.hpp>
#include <host/sweep/sweep_words.hpp>
#include <host/util/counted.hpp>
#include <host/util/printable.hpp>

namespace nephron::host {

namespace {

using Rows = std::vector<std::vector<std::string>>;

constexpr std::size_t bold_lines = 3, most_lines = 500, most_curves = 60;

std::string in_card(const std::string& body, const char* more = "") {
  return "<div class=\"card" + std::string(more) + "\">" + body + "</div>\n";
}
std::string soft(const std::string& text) { return "<p class=\"soft\">" + escaped(text) + "</p>\n"; }

class SweepPage {
 public:
  SweepPage(const SweepFolder& sweep, const SweepResult& result)
      : sweep_(sweep), plan_(sweep.plan()), result_(result) {}

  std::string html() const {
    return html_page(plan_.name, head() + confirmed() + plots() + rungs() + trials() + failures(), sorting_script);
  }

 private:
  const HalvingTrial& halving(int t) const { return result_.state.trials[static_cast<std::size_t>(t)].halving; }
  std::optional<double> best_score(int t) const {
    const int rung = reached(halving(t));
    return rung < 0 ? std::nullopt : halving(t).score[static_cast<std::size_t>(rung)];
  }
  int count() const { return static_cast<int>(plan_.trials.size()); }

  std::string head() const {
    std::size_t rest = 0, failed = 0, held = 0;
    for (const TrialState& t : result_.state.trials)
      rest += t.halving.at_rest() && !t.held, failed += t.halving.failed, held += t.held;
    const auto tile = [](const std::string& figure, const std::string& text) {
      return "<div class=\"tile\"><b>" + escaped(figure) + "</b><span>" + escaped(text) + "</span></div>\n";
    };
    std::string out = "<h1>" + escaped(plan_.name) + "</h1>\n" + soft(sweep_words(plan_)) + "<div class=\"tiles\">\n";
    out += tile(std::to_string(rest) + " of " + std::to_string(plan_.trials.size()), "trials at rest");
    out += tile(std::to_string(held), "trials being trained now");
    if (failed > 0) out += tile(std::to_string(failed), "failed");
    if (!result_.ranking.empty())
      out += tile(score_cell(best_score(result_.ranking[0])), "best Dice, trial " + std::to_string(result_.ranking[0]));
    out += "</div>\n";
    if (const std::string words = winner_words(sweep_, result_); !words.empty())
      out += "<div style=\"margin-top:24px\">" + in_card("<p>" + escaped(words) + "</p>") + "</div>\n";
    for (const std::string& problem : result_.state.problems)
      out += "<p class=\"fault\">" + escaped(problem) + "</p>\n";
    return out;
  }

  std::string confirmed() const {
    if (result_.confirmed.empty()) return {};
    Rows rows;
    for (const ConfirmedRow& row : confirmed_rows(sweep_, result_))
      rows.push_back({"trial " + std::to_string(row.trial), row.searched, row.confirmed, escaped(row.difference),
                      escaped(row.interval), escaped(row.p), "<b>" + escaped(row.verdict) + "</b>"});
    std::string notes;
    if (result_.comparison) notes += soft(method_words(*result_.comparison));
    if (!result_.comparison_failure.empty())
      notes += "<p class=\"fault\">not compared: " + escaped(result_.comparison_failure) + "</p>\n";
    return "<h2>Confirmed on what chose nothing</h2>\n" +
           in_card(html_table({"", "Dice that chose", "Dice, confirmed", "difference", "95 % interval", "p", "verdict"},
                              rows) +
                   notes);
  }

  /// Trials that are drawn, those behind first.
  std::vector<int> drawn(std::size_t most) const {
    std::vector<int> out = result_.ranking;
    for (int t = 0; t < count(); ++t)
      if (std::find(out.begin(), out.end(), t) == out.end()) out.push_back(t);
    out.resize(std::min(out.size(), most));
    std::reverse(out.begin(), out.end());
    return out;
  }
  /// 0 for the best; -1 for those that are not told apart.
  int bold(int t) const {
    const auto end =
        result_.ranking.begin() + static_cast<std::ptrdiff_t>(std::min(bold_lines, result_.ranking.size()));
    const auto found = std::find(result_.ranking.begin(), end, t);
    return found == end ? -1 : static_cast<int>(found - result_.ranking.begin());
  }

  std::string parallel() const {
    const std::vector<int> order = drawn(most_lines);
    ParallelPlot plot;
    for (const SweepPlan::Axis& axis : plan_.axes) {
      plot.axes.push_back({short_key(axis.key), axis.logarithmic, {}});
      for (const int t : order)
        plot.axes.back().values.push_back(value_words(setting_of(plan_.trials[static_cast<std::size_t>(t)], axis.key)));
    }
    plot.axes.push_back({"Dice", false, {}});
    for (const int t : order) {
      const auto score = best_score(t);
      plot.axes.back().values.push_back(score ? score_cell(score) : "");
      plot.lines.push_back({"trial " + std::to_string(t) + ", " +
                                (score ? "Dice " + score_cell(score) : state_of(result_, plan_, t)) + ": " +
                                settings_text(plan_.trials[static_cast<std::size_t>(t)]),
                            bold(t), halving(t).failed});
    }
    return parallel_plot_html("Each line is a trial, from its settings to its Dice", plot);
  }

  /// The score that a trial had at each epoch.
  Points curve(int t) const {
    const TrialState& trial = result_.state.trials[static_cast<std::size_t>(t)];
    std::int64_t epochs = std::numeric_limits<std::int64_t>::max();
    for (const MemberState& member : trial.members) epochs = std::min(epochs, member.epochs);
    Points out;
    for (std::int64_t e = 1; e <= epochs; ++e) {
      double sum = 0;
      for (const MemberState& member : trial.members) sum += member.score(plan_.score, e).value_or(std::nan(""));
      if (std::isfinite(sum)) out.emplace_back(static_cast<double>(e), sum / static_cast<double>(trial.members.size()));
    }
    constexpr std::size_t most_points = 80;
    return thinned(out, most_points);
  }

  std::string curves() const {
    Chart chart;
    chart.title = plan_.score == "best" ? "Best Dice so far" : "Dice";
    chart.x_label = "epochs";
    for (const int t : drawn(most_curves)) {
      const int place = bold(t);
      chart.series.push_back(
          {place < 0 ? "" : "trial " + std::to_string(t), curve(t), place < 0 ? 5 : place, place < 0});
    }
    return chart_html(chart);
  }

  std::string plots() const {
    const std::string lines = parallel(), points = curves();
    if (lines.empty() && points.empty()) return {};
    return "<h2>Settings and scores</h2>\n" + lines +
           (points.empty() ? "" : "<div class=\"charts two\" style=\"margin-top:16px\">" + points + "</div>\n") +
           soft("Bold: the best " + counted(std::min(bold_lines, result_.ranking.size()), "trial") +
                ". Pointing at a line names it.");
  }

  std::string rungs() const {
    if (plan_.rungs.size() < 2) return {};
    Rows rows;
    for (std::size_t r = 0; r < plan_.rungs.size(); ++r) {
      std::size_t came = 0, on = 0, failed = 0;
      std::optional<double> best;
      for (int t = 0; t < count(); ++t) {
        const HalvingTrial& h = halving(t);
        came += h.complete[r], on += h.rung > static_cast<int>(r), failed += h.failed && h.rung == static_cast<int>(r);
        if (h.complete[r] && h.score[r] && (!best || *h.score[r] > *best)) best = h.score[r];
      }
      rows.push_back({std::to_string(plan_.rungs[r]) + " epochs", std::to_string(came), std::to_string(failed),
                      std::to_string(on), score_cell(best)});
    }
    return "<h2>Rungs</h2>\n" +
           in_card(html_table({"", "trials that came", "failed", "that went on", "best Dice"}, rows) +
                   soft("A trial goes on when it is among the best 1/" + std::to_string(plan_.eta) +
                        " of those that have come so far, so no process waits for another (ASHA)."));
  }

  std::string trials() const {
    std::vector<std::string> columns{"trial", "state"};
    for (const std::int64_t epochs : plan_.rungs)
      columns.push_back(plan_.rungs.size() == 1 ? "Dice" : "epoch " + std::to_string(epochs));
    if (plan_.seeds.size() * plan_.folds.size() > 1) columns.emplace_back("deviation");
    for (const SweepPlan::Axis& axis : plan_.axes) columns.push_back(escaped(short_key(axis.key)));
    Rows rows;
    std::vector<int> order = drawn(plan_.trials.size());
    std::reverse(order.begin(), order.end());
    for (const int t : order) {
      std::vector<std::string> row{std::to_string(t), escaped(state_of(result_, plan_, t))};
      for (const auto& score : halving(t).score) row.push_back(score ? score_cell(score) : "–");
      if (plan_.seeds.size() * plan_.folds.size() > 1) row.push_back(deviation(t));
      for (const SweepPlan::Axis& axis : plan_.axes)
        row.push_back(escaped(value_words(setting_of(plan_.trials[static_cast<std::size_t>(t)], axis.key))));
      rows.push_back(std::move(row));
    }
    return "<h2>Trials</h2>\n" + in_card(html_table(columns, rows), " sortable");
  }

  /// Between the runs of a trial, where it came to.
  std::string deviation(int t) const {
    const int rung = reached(halving(t));
    if (rung < 0) return "–";
    const bool last = rung + 1 == static_cast<int>(plan_.rungs.size());
    double sum = 0, squares = 0, n = 0;
    for (const MemberState& member : result_.state.trials[static_cast<std::size_t>(t)].members)
      if (const auto s = member.score(plan_.score, last ? member.epochs : plan_.rungs[static_cast<std::size_t>(rung)]))
        sum += *s, squares += *s * *s, ++n;
    return n < 2 ? "–" : figure(std::sqrt(std::max(0.0, (squares - sum * sum / n) / (n - 1))));
  }

  std::string failures() const {
    Rows rows;
    for (int t = 0; t < count(); ++t)
      if (const std::string& why = result_.state.trials[static_cast<std::size_t>(t)].failure; !why.empty())
        rows.push_back({"trial " + std::to_string(t),
                        "<span style=\"white-space:normal\">" + escaped(printable_name(why)) + "</span>"});
    return rows.empty() ? ""
                        : "<h2>What failed</h2>\n" +
                              in_card("<div class=\"change\">" + html_table({"", "why"}, rows) + "</div>");
  }

  const SweepFolder& sweep_;
  const SweepPlan& plan_;
  const SweepResult& result_;
};

}  // namespace

std::string sweep_page(const SweepFolder& sweep, const SweepResult& result) { return SweepPage(sweep, result).html(); }

}  // namespace nephron::host
