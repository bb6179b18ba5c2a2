#include <host/compare/words.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <host/stats/sign_flip.hpp>
#include <host/util/counted.hpp>
#include <host/util/printable.hpp>
#include <host/util/progress.hpp>
#include <host/util/view_link.hpp>

namespace nephron::host {

namespace {

std::string printed(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string joined(const std::vector<int>& numbers) {
  std::string out;
  for (std::size_t i = 0; i < numbers.size(); ++i)
    out += (i == 0 ? "" : i + 1 == numbers.size() ? " and " : ", ") + std::to_string(numbers[i]);
  return out;
}

}  // namespace

std::string figure(double value) {
  if (!std::isfinite(value)) return "-";
  return printed(std::abs(value) < 10 ? "%.4f" : "%.2f", value);
}

std::string signed_figure(double value) {
  if (!std::isfinite(value)) return "-";
  return printed(std::abs(value) < 10 ? "%+.4f" : "%+.2f", value);
}

std::string interval_words(const Interval& i) {
  if (std::isnan(i.low)) return "-";
  if (std::isinf(i.low)) return "unbounded";
  return signed_figure(i.low) + " to " + signed_figure(i.high);
}

std::string p_words(double p) {
  if (!std::isfinite(p)) return "-";
  return p < 0.001 ? "<0.001" : printed("%.3f", p);
}

std::string percent(double share) {
  constexpr double nothing = 1e-9;  // of sums of shares
  if (!std::isfinite(share)) return "-";
  if (share > nothing && share < 0.005) return "< 1 %";
  if (share >= 0.995 && share < 1 - nothing) return "> 99 %";
  return printed("%.0f %%", 100 * share);
}

std::string verdict_words(const Finding& f, const Comparison& c) {
  const std::string verdict = text_of(f.verdict);
  if (!c.request.margin) return verdict;
  const std::string margin = short_number(*c.request.margin);
  if (f.verdict == Verdict::equivalent) return verdict + " within " + margin;
  if (f.within_margin && (f.verdict == Verdict::better || f.verdict == Verdict::worse))
    return verdict + ", by less than " + margin;
  return verdict;
}

std::string value_title(const std::string& value) {
  std::string out = value;
  if (!out.empty() && out[0] >= 'a' && out[0] <= 'z') out[0] = static_cast<char>(out[0] - 'a' + 'A');
  return out;
}

std::string measured_words(const Comparison& c) {
  const MeasuringFacts& facts = c.runs[0].facts;
  std::string out =
      "mean of " + counted(c.table.donors.size(), "donor") + ", " + counted(c.table.slides.size(), "slide");
  out += facts.classes.size() > 1 ? ", mean over " + counted(facts.classes.size(), "class", "classes")
                                  : ", class " + facts.classes[0];
  if (c.table.undefined > 0)
    out +=
        ", " + std::to_string(c.table.undefined) + " of " + counted(c.table.asked, "value") + " undefined in all runs";
  out +=
      (facts.folds.size() == 1 ? ", fold " : ", folds ") + joined(facts.folds) + ", " + facts.checkpoint + " weights";
  if (facts.exclusive) return out + ", the likeliest class";
  const double one = facts.thresholds.empty() ? 0.5 : facts.thresholds.begin()->second;
  const bool alike =
      std::all_of(facts.thresholds.begin(), facts.thresholds.end(), [&](const auto& t) { return t.second == one; });
  return out + (alike ? ", threshold " + short_number(one) : ", a threshold a class");
}

std::string method_words(const Comparison& c) {
  if (c.findings.empty()) return "";
  const Finding& f = c.findings[0];
  const bool seeds = !weights_words(c).empty();
  std::string out =
      "p: sign-flip test of the donors' mean difference, " +
      (f.exact ? "all " + std::to_string(std::int64_t{1} << f.differences.size()) + " ways to choose signs"
               : std::to_string(SignFlipTest::usual_draws) + " draws of signs");
  if (seeds) out += ", or Student's with the spread between seeds (Satterthwaite), whichever is larger";
  if (c.findings.size() > 1) out += "; adjusted (Holm) for " + std::to_string(c.findings.size()) + " comparisons";
  out += ". Interval, 95 %: the same test inverted";
  if (seeds) out += ", or Student's where that is wider";
  if (c.findings.size() > 1) out += ", of each comparison alone";
  return out + ".";
}

std::string first_words(const Comparison& c) {
  return "first: share of 10000 bootstraps of the donors in which the run has the best mean" + weights_words(c) + ".";
}

std::string weights_words(const Comparison& c) {
  const bool seeds = std::any_of(c.findings.begin(), c.findings.end(), [](const Finding& f) { return !!f.recipe; });
  return seeds ? ", for these weights alone" : "";
}

std::string pooled_words(const Comparison& c) {
  return "All slides together as if they were one, " + c.request.metric +
         ": large slides count for more (donors drawn anew" + weights_words(c) + "; exploratory)";
}

std::string anyway_words(const Comparison& c) {
  if (c.ignored.empty()) return "";
  std::vector<std::string> keys;
  std::string out;
  for (const Objection& o : c.ignored)
    if (std::find(keys.begin(), keys.end(), o.key) == keys.end()) {
      keys.push_back(o.key);
      out += (out.empty() ? "" : ", ") + o.key;
    }
  return "Not comparable (" + out + "), compared anyway";
}

std::string effect_words(const Comparison& c, bool stated) {
  std::string out = stated ? "The difference to find is that of --effect. "
                           : "The difference to find is the one that was seen, which chance may have made: --effect X "
                             "states the least one that matters. ";
  out += "Simulated from the spread that was seen";
  if (c.findings.size() > 1)
    out += "; p is adjusted (Holm) for " + counted(c.findings.size(), "comparison") + " there, too, the others as seen";
  return out + ".";
}

std::string dip_words(const Comparison& c) {
  bool any = false;
  for (std::size_t i = 0; i < c.findings.size(); ++i)
    any = any || (is_open(c.findings[i].verdict) && c.settlings[i] && c.settlings[i]->dips());
  return any ? "Of few donors power falls here and there where one more comes: their test knows few p, and which of "
               "them "
               "is the largest under 0.05 jumps from one number of donors to the next."
             : "";
}

std::string needed_words(const std::optional<int>& needed, bool known) {
  if (!known) return "not known";
  return needed ? std::to_string(*needed) : "over " + std::to_string(Settling::most);
}

std::string seeds_now_words(const Comparison& c) {
  std::string out;
  for (std::size_t i = 0; i < c.findings.size(); ++i) {
    if (!c.settlings[i] || !is_open(c.findings[i].verdict)) continue;
    const SeedsOfSides& seeds = c.settlings[i]->now.seeds;
    const std::string first = std::to_string(seeds.first), second = std::to_string(seeds.second);
    std::string words = " (now " + first + (first == second ? "" : " and " + second) + ")";
    if (!out.empty() && out != words) return "";
    out = std::move(words);
  }
  return out;
}

std::string cost_words(const Comparison& c) {
  std::string beside, unknown, out;
  bool one_place = true;
  for (std::size_t i = 0; i < c.costs.size(); ++i) {
    const RunCost& cost = c.costs[i];
    one_place = one_place && cost.host == c.costs[0].host && cost.device == c.costs[0].device &&
                cost.processor == c.costs[0].processor;
    if (cost.was_beside)
      beside += (beside.empty() ? "" : ", ") + c.runs[i].name + " (" + percent(*cost.beside_others) + ")";
    else if (cost.seconds && !cost.beside_others) unknown += (unknown.empty() ? "" : ", ") + c.runs[i].name;
  }
  if (!beside.empty())
    out += "* Beside others' work, which took so much of what the machine worked meanwhile, or a device: " + beside +
           ". Such time ranks nothing. ";
  if (!unknown.empty())
    out += "Whether others' work ran beside was not recorded, nor processor seconds: " + unknown +
           ". Such time is told, and ranks nothing. ";
  if (!one_place) out += "These ran on different machines or devices: their times rank nothing. ";
  const bool all = std::all_of(c.costs.begin(), c.costs.end(), [](const RunCost& r) { return r.time_counts(); });
  if (out.empty())
    out = all ? "All had their machines to themselves, and these are alike: their times may be compared. "
              : "What a training that is not finished takes is not known. ";
  out.pop_back();
  return out;
}

std::optional<double> mean_cost(const Comparison& c, const Side& side, std::optional<double> RunCost::*what) {
  double sum = 0;
  for (const std::size_t run : side.runs) {
    const std::optional<double>& of_run = c.costs[run].*what;
    if (!of_run) return std::nullopt;
    sum += *of_run;
  }
  return sum / static_cast<double>(side.runs.size());
}

std::optional<double> cost_per_point(const Comparison& c, const Finding& f, std::optional<double> RunCost::*what) {
  const auto before = mean_cost(c, c.sides[0], what), after = mean_cost(c, c.sides[f.side], what);
  const double gain = c.good_when == GoodWhen::lower ? -f.difference : f.difference;
  if (!before || !after || gain <= 0) return std::nullopt;
  return (*after - *before) * 0.01 / gain;
}

namespace {

/// Of few seconds their tenths.
std::string signed_duration(double seconds) {
  const double s = std::abs(seconds);
  if (s == 0) return "0 s";
  if (s < 0.05) return "< 0.1 s";
  return (seconds < 0 ? "-" : "") + (s < 9.95 ? printed("%.1f s", s) : duration_text(s));
}

struct CostKind {
  const char *title, *per_point;
  std::optional<double> RunCost::*of;
  bool is_time;  ///< that others' work lengthens
};
constexpr CostKind cost_kinds[] = {
    {"training", "time per +0.01", &RunCost::seconds, true},
    {"processor", "processor per +0.01", &RunCost::cpu_seconds, false},
    {"GPU", "GPU per +0.01", &RunCost::gpu_seconds, true},
};

/// What a run took more than the baseline for each 0.01, where it is a side by itself.
std::string per_point_cell(const Comparison& c, std::size_t run, const CostKind& kind) {
  for (const Finding& f : c.findings) {
    if (c.sides[f.side].runs != std::vector<std::size_t>{run}) continue;
    const auto more = cost_per_point(c, f, kind.of);
    if (!more) return "-";
    bool beside = c.costs[run].was_beside;
    for (const std::size_t base : c.sides[0].runs) beside = beside || c.costs[base].was_beside;
    return signed_duration(*more) + (beside && kind.is_time ? " *" : "");
  }
  return "-";
}

}  // namespace

std::vector<CostColumn> cost_columns(const Comparison& c) {
  std::vector<CostColumn> out, per_point;
  for (const CostKind& kind : cost_kinds) {
    CostColumn column{kind.title, {}}, more{kind.per_point, {}};
    bool any = kind.of == &RunCost::seconds;
    for (std::size_t i = 0; i < c.costs.size(); ++i) {
      const std::optional<double>& value = c.costs[i].*kind.of;
      any = any || value.value_or(0) > 0;
      const char* const mark = c.costs[i].was_beside && kind.is_time ? " *" : "";
      column.cells.push_back(value                          ? duration_text(*value) + mark
                             : kind.of == &RunCost::seconds ? "not finished"
                                                            : "-");
      more.cells.push_back(per_point_cell(c, i, kind));
    }
    if (any) out.push_back(std::move(column)), per_point.push_back(std::move(more));
  }
  CostColumn energy{"energy", {}}, folds{"folds", {}}, memory{"memory", {}}, device{"device", {}};
  bool any_energy = false;
  for (const RunCost& cost : c.costs) {
    any_energy = any_energy || cost.energy_wh;
    energy.cells.push_back(cost.energy_wh ? short_number(std::round(*cost.energy_wh * 10) / 10) + " Wh" : "-");
    folds.cells.push_back(std::to_string(cost.finished) + " of " + std::to_string(cost.folds));
    memory.cells.push_back(cost.peak_mb ? std::to_string(std::llround(*cost.peak_mb)) + " MB" : "-");
    device.cells.push_back(cost.device.empty() ? "-" : cost.device);
  }
  if (any_energy) out.push_back(std::move(energy));
  for (CostColumn* const column : {&folds, &memory, &device}) out.push_back(std::move(*column));
  for (CostColumn& column : per_point) out.push_back(std::move(column));
  return out;
}

std::string view_fragment(const ChangedObject& o, const MeasuredRun& run) {
  const double reduction = std::max(1.0, run.slides.at(o.slide).reduction);
  const double x = (static_cast<double>(o.box.x) + static_cast<double>(o.box.width) / 2) * reduction;
  const double y = (static_cast<double>(o.box.y) + static_cast<double>(o.box.height) / 2) * reduction;
  constexpr double shown = 300;  // pixels of a screen that the object shall take
  return view_link(o.slide.slide, x, y, static_cast<double>(std::max(o.box.width, o.box.height)) * reduction, shown);
}

std::string text_of(ObjectFate fate) {
  switch (fate) {
    case ObjectFate::won:
      return "won";
    case ObjectFate::lost:
      return "lost";
    case ObjectFate::gained:
      return "false, new";
    case ObjectFate::gone:
      return "false, gone";
  }
  return "";
}

std::string count_words(double count) {
  char text[32];
  std::snprintf(text, sizeof text, count == std::floor(count) ? "%.0f" : "%.1f", count);
  return text;
}

std::string false_words(const ObjectDifferences& o) {
  if (!o.false_fates) return "";
  return std::to_string(o.false_fates->kept) + ", " + std::to_string(o.false_fates->gained) + ", " +
         std::to_string(o.false_fates->gone);
}

}  // namespace nephron::host
