#include <host/compare/finding.hpp>

#include <algorithm>
#include <array>
#include <cmath>

#include <host/stats/moments.hpp>
#include <host/stats/sign_flip.hpp>

namespace nephron::host {

namespace {

constexpr double refused_at = 0.05, level = 0.95;
constexpr std::size_t bootstrap_draws = 9999;

std::vector<std::vector<double>> rows_of(const ValueTable& table, const Side& side) {
  std::vector<std::vector<double>> out;
  for (const std::size_t run : side.runs) out.push_back(table.by_donor[run]);
  return out;
}

/// Of the sides that have several seeds, weighed by their freedom; nothing where none has, or one donor is all.
std::optional<CrossedVariance> seeds_of(const ValueTable& table, const std::vector<const Side*>& sides) {
  CrossedVariance sum;
  if (table.donors.size() < 2) return std::nullopt;
  const auto add = [](MeanSquare& to, const MeanSquare& from) {
    to.value += from.value * from.freedom, to.freedom += from.freedom;
  };
  for (const Side* side : sides) {
    if (side->runs.size() < 2) continue;
    const CrossedVariance one = crossed_variance(rows_of(table, *side));
    add(sum.seeds, one.seeds), add(sum.rest, one.rest);
    sum.of_donors += one.of_donors * one.seeds.freedom;
  }
  if (sum.seeds.freedom == 0) return std::nullopt;
  sum.of_donors /= sum.seeds.freedom;
  sum.seeds.value /= sum.seeds.freedom, sum.rest.value /= sum.rest.freedom;
  sum.of_rest = sum.rest.value;
  sum.of_seeds = std::max(0.0, (sum.seeds.value - sum.rest.value) / static_cast<double>(table.donors.size()));
  return sum;
}

std::optional<RecipeFinding> recipe_of(const Finding& f, const ValueTable& table, const Side& first, const Side& side,
                                       double confidence) {
  const std::optional<CrossedVariance> seeds = seeds_of(table, {&first, &side});
  if (!seeds) return std::nullopt;
  const auto n = static_cast<double>(table.donors.size());
  const double shares = 1 / static_cast<double>(first.runs.size()) + 1 / static_cast<double>(side.runs.size());
  std::array<WeighedSquare, 3> parts{
      {{1 / n, {variance_of(f.differences), n - 1}}, {shares / n, seeds->seeds}, {-shares / n, seeds->rest}}};
  if (seeds->of_seeds == 0) parts[1].factor = parts[2].factor = 0;
  const SummedVariance variance = satterthwaite(parts);
  const MeanWithVariance student = t_interval(f.difference, variance, confidence);
  return RecipeFinding{
      seeds->of_donors,
      seeds->of_seeds,
      seeds->of_rest,
      variance.freedom,
      seeds->seeds.freedom,
      {std::min(student.interval.low, f.interval.low), std::max(student.interval.high, f.interval.high)},
      std::max(student.p, f.p)};
}

Finding finding(const ValueTable& table, const std::vector<Side>& sides, std::size_t side,
                const FindingOptions& options) {
  Finding out;
  out.side = side, out.value = table.value, out.of_class = table.of_class;
  const std::vector<double> a = donors_of_side(table, sides[0]), b = donors_of_side(table, sides[side]);
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double d = b[i] - a[i];
    out.differences.push_back(d);
    if (d == 0) ++out.tied;
    else if ((d < 0) == options.lower_is_better) ++out.won;
  }
  out.first = mean_of(a), out.mean = mean_of(b), out.difference = mean_of(out.differences);
  const SignFlipTest test(out.differences, options.seed);
  out.exact = test.exact(), out.p = out.adjusted = test.p(), out.interval = test.interval(level);
  out.bootstrap = bootstrap_mean(out.differences, bootstrap_draws, options.seed, level);
  out.student = paired_t(out.differences), out.ranks = signed_rank(out.differences);
  out.recipe = recipe_of(out, table, sides[0], sides[side], level);
  out.adjusted = out.claimed_p();
  if (options.margin) {
    // Several sides are several chances to be found equal.
    const double confidence = 1 - (1 - level) / static_cast<double>(sides.size() - 1);
    Finding wide = out;
    wide.interval = test.interval(confidence);
    wide.recipe = recipe_of(wide, table, sides[0], sides[side], confidence);
    out.within_margin = wide.claimed().low >= -*options.margin && wide.claimed().high <= *options.margin;
  }
  return out;
}

void judge(Finding& f, const FindingOptions& options) {
  if (f.differences.size() < least_differences) f.verdict = Verdict::too_few;
  else if (f.recipe && f.recipe->seed_freedom < least_seed_freedom) f.verdict = Verdict::too_few_seeds;
  else if (f.adjusted < refused_at)
    f.verdict = (f.difference < 0) == options.lower_is_better ? Verdict::better : Verdict::worse;
  else f.verdict = f.within_margin ? Verdict::equivalent : Verdict::undecided;
}

}  // namespace

std::string text_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::exploratory:
      return "";
    case Verdict::too_few:
      return "too few donors";
    case Verdict::too_few_seeds:
      return "too few seeds";
    case Verdict::better:
      return "better";
    case Verdict::worse:
      return "worse";
    case Verdict::equivalent:
      return "equivalent";
    case Verdict::undecided:
      return "undecided";
  }
  return "";
}

bool is_open(Verdict verdict) {
  return verdict == Verdict::too_few || verdict == Verdict::too_few_seeds || verdict == Verdict::undecided;
}

std::vector<double> donors_of_side(const ValueTable& table, const Side& side) {
  std::vector<double> out(table.donors.size(), 0.0);
  for (const std::size_t run : side.runs)
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] += table.by_donor[run][i] / static_cast<double>(side.runs.size());
  return out;
}

std::vector<Finding> findings(const ValueTable& table, const std::vector<Side>& sides, const FindingOptions& options,
                              bool verdicts) {
  std::vector<Finding> out;
  if (table.donors.empty()) return out;
  std::vector<double> p;
  for (std::size_t side = 1; side < sides.size(); ++side) {
    out.push_back(finding(table, sides, side, options));
    p.push_back(out.back().claimed_p());
  }
  if (!verdicts) return out;
  const std::vector<double> adjusted = holm(p);
  for (std::size_t i = 0; i < out.size(); ++i) out[i].adjusted = adjusted[i], judge(out[i], options);
  return out;
}

}  // namespace nephron::host
