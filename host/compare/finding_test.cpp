#include <host/compare/finding.hpp>

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/rng.hpp>

#include <host/compare/settle.hpp>
#include <host/stats/distributions.hpp>
#include <host/stats/moments.hpp>

namespace nephron::host {
namespace {

/// Runs of two recipes, each trained with `seeds` seeds: what varies between donors, between seeds, and the rest.
struct MadeUp {
  std::size_t donors = 12, seeds = 1;
  double gain = 0;      ///< of the second recipe
  double by_donor = 0;  ///< deviation of what a recipe is to a donor
  double by_seed = 0;   ///< of what a seed is to all donors
  double rest = 0.01;
  std::size_t second_seeds = 0;  ///< of the second recipe; 0: as many
  std::size_t of_second() const { return second_seeds > 0 ? second_seeds : seeds; }
};

ValueTable table_of(const MadeUp& how, std::uint64_t number) {
  Rng rng(41, "made up", 0, number);
  ValueTable out;
  out.value = "dice";
  std::vector<double> easy(how.donors);
  for (double& e : easy) e = 0.8 + 0.05 * rng.normal();
  for (std::size_t d = 0; d < how.donors; ++d) {
    out.donors.push_back("donor " + std::to_string(d)), out.donor_known.push_back(true);
    out.slides.push_back({"made_up", "slide " + std::to_string(d)}), out.donor_of.push_back(d);
  }
  for (const double gain : {0.0, how.gain}) {
    std::vector<double> own(how.donors);
    for (double& o : own) o = how.by_donor * rng.normal();
    const bool first = out.by_donor.empty();
    for (std::size_t s = 0; s < (first ? how.seeds : how.of_second()); ++s) {
      const double shared = how.by_seed * rng.normal();
      std::vector<double>& row = out.by_donor.emplace_back();
      for (std::size_t d = 0; d < how.donors; ++d)
        row.push_back(easy[d] + gain + own[d] + shared + how.rest * rng.normal());
    }
  }
  out.by_slide = out.by_donor;
  return out;
}

std::vector<Side> sides_of(const MadeUp& how) {
  std::vector<Side> out{{"a", {}}, {"b", {}}};
  for (std::size_t s = 0; s < how.seeds; ++s) out[0].runs.push_back(s);
  for (std::size_t s = 0; s < how.of_second(); ++s) out[1].runs.push_back(how.seeds + s);
  return out;
}

Finding found(const MadeUp& how, std::uint64_t number, std::optional<double> margin = {}) {
  return findings(table_of(how, number), sides_of(how), {number, false, margin}, /*verdicts=*/true).at(0);
}

/// Of a thousand, how many were called better or worse; p and interval agree in each.
int decided(const MadeUp& how) {
  int out = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const Finding f = found(how, i);
    const bool called = f.verdict == Verdict::better || f.verdict == Verdict::worse;
    EXPECT_EQ(called, !f.claimed().holds(0)) << i;
    out += called ? 1 : 0;
  }
  return out;
}

int found_any(const MadeUp& how) {
  int out = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) out += found(how, i).claimed_p() < 0.05 ? 1 : 0;
  return out;
}

// 5 % and three standard errors.
const double most = 1000 * (0.05 + 3 * std::sqrt(0.05 * 0.95 / 1000));

TEST(Verdicts, AreFewWhereRunsAreAlike) {
  for (const std::size_t donors : {6, 9, 14}) EXPECT_LE(decided({donors, 1, 0, 0.01}), most) << donors;
}

TEST(Verdicts, OfRecipesAllowForSeeds) {
  const MadeUp alike{12, 3, 0, 0, 0.02};
  EXPECT_LE(decided(alike), most);
  int weights = 0;
  for (std::uint64_t i = 0; i < 200; ++i) weights += found(alike, i).p < 0.05 ? 1 : 0;
  EXPECT_GT(weights, 100) << "these very weights do differ: the seeds see to it";
}

TEST(Verdicts, NeedTwoDegreesOfFreedomOfSeeds) {
  // docs/comparison.md has these figures: of one seed beside two, 5 % is not 5 %, so that no verdict is given.
  const MadeUp too_few{8, 1, 0, 0.01, 0.043, 0.01, 2};
  int small = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const Finding f = found(too_few, i);
    EXPECT_EQ(f.verdict, Verdict::too_few_seeds);
    small += f.claimed_p() < 0.05 ? 1 : 0;
  }
  EXPECT_GT(small, most);
  EXPECT_EQ(found({8, 1, 5, 0.01, 0.043, 0.01, 2}, 1).verdict, Verdict::too_few_seeds) << "whatever is seen";
  for (const MadeUp& enough : {MadeUp{8, 1, 0, 0.01, 0.043, 0.01, 3}, MadeUp{8, 2, 0, 0.01, 0.043, 0.01, 2}})
    EXPECT_LE(decided(enough), most) << enough.seeds << " beside " << enough.of_second();
}

TEST(Verdicts, AreRightWhereSomethingIs) {
  int better = 0, worse = 0, equivalent = 0;
  for (std::uint64_t i = 0; i < 200; ++i) {
    better += found({12, 1, 0.02}, i).verdict == Verdict::better ? 1 : 0;
    worse += found({12, 1, -0.02}, i).verdict == Verdict::worse ? 1 : 0;
    equivalent += found({12, 1, 0.0, 0, 0, 0.003}, i, 0.01).verdict == Verdict::equivalent ? 1 : 0;
  }
  EXPECT_GT(better, 180);
  EXPECT_GT(worse, 180);
  EXPECT_GT(equivalent, 180);
  const Finding little = found({12, 1, 0.004, 0, 0, 0.001}, 1, 0.01);
  EXPECT_EQ(little.verdict, Verdict::better);
  EXPECT_TRUE(little.within_margin) << "there, and too little to matter";
  EXPECT_EQ(found({5, 1, 0.5}, 1).verdict, Verdict::too_few);
  EXPECT_EQ(found({1, 1, 0.5}, 1).verdict, Verdict::too_few);
}

TEST(Verdicts, AreAdjustedForTheNumberOfRuns) {
  ValueTable table = table_of({12, 1, 0.012}, 3);
  const Side base{"a", {0}};
  const Finding alone = findings(table, {base, {"b", {1}}}, {}, true).at(0);
  for (int i = 0; i < 8; ++i) table.by_donor.push_back(table_of({12, 1, 0}, 50 + i).by_donor[0]);
  std::vector<Side> sides{base};
  for (std::size_t r = 1; r < table.by_donor.size(); ++r) sides.push_back({"r", {r}});
  const std::vector<Finding> many = findings(table, sides, {}, true);
  EXPECT_EQ(many[0].p, alone.p);
  EXPECT_GE(many[0].adjusted, many[0].p);
  EXPECT_EQ(findings(table, sides, {}, false)[0].verdict, Verdict::exploratory);
}

TEST(Settling, SaysWhatIsMissing) {
  const MadeUp how{8, 1, 0.004};
  const ValueTable table = table_of(how, 7);
  const std::vector<Side> sides = sides_of(how);
  const std::vector<Finding> all = findings(table, sides, {}, true);
  const auto settled = settling(all, 0, table, sides, 0.004, 1);
  ASSERT_TRUE(settled);
  EXPECT_TRUE(settled->stated);
  EXPECT_FALSE(settled->slides_known) << "one slide a donor tells nothing of their spread";
  EXPECT_LT(settled->power, 0.8);
  ASSERT_TRUE(settled->donors);
  EXPECT_GT(*settled->donors, 8);
  EXPECT_FALSE(settling(all, 0, table, sides, 0.0, 1)) << "nothing is to be found";
}

TEST(Settling, SimulatesTheTestThatIsMade) {
  // As often as made-up experiments are decided, with the numbers of seeds that each side has.
  for (const std::size_t second : {3, 6}) {
    const MadeUp how{8, 1, 0.12, 0.01, 0.04, 0.01, second};
    PowerBasis basis;
    for (int i = 0; i < 200; ++i) basis.differences.push_back(normal_quantile((i + 0.5) / 200));
    basis.seeds = {1, static_cast<int>(second)};
    basis.rest_variance = how.rest * how.rest, basis.seed_variance = how.by_seed * how.by_seed;
    const double spread = std::sqrt((2 * how.by_donor * how.by_donor + basis.rest_variance * basis.seeds.shares()) /
                                    variance_of(basis.differences));
    for (double& d : basis.differences) d *= spread;
    basis.effect = how.gain, basis.of_recipe = true;
    const double power = PowerModel(basis, 1).power({8, 1, basis.seeds});
    EXPECT_NEAR(power, found_any(how) / 1000.0, 0.05) << second;
    const auto more = seeds_for(PowerModel(basis, 1), {8, 1, basis.seeds}, power + 0.05, 100);
    ASSERT_TRUE(more);
    EXPECT_GE(*more, 2);
  }
}

/// Runs beside a first one, that are each better by so much.
ValueTable table_of_many(const std::vector<double>& gains, std::uint64_t number) {
  Rng rng(43, "many", 0, number);
  ValueTable out = table_of({10, 1}, number);
  for (const double gain : gains) {
    std::vector<double>& row = out.by_donor.emplace_back(out.by_donor.front());
    for (double& v : row) v += gain + 0.012 * rng.normal();
  }
  out.by_donor.erase(out.by_donor.begin() + 1);
  out.by_slide = out.by_donor;
  return out;
}

TEST(Settling, OfSeveralRunsSimulatesTheAdjustedTest) {
  // As often as made-up experiments decide the first of three comparisons.
  const std::vector<double> gains{0.009, 0.02, 0.004};
  std::vector<Side> sides;
  for (std::size_t i = 0; i <= gains.size(); ++i) sides.push_back({std::string(1, static_cast<char>('a' + i)), {i}});
  constexpr int experiments = 1000;
  int found = 0, alone = 0;
  for (int i = 0; i < experiments; ++i) {
    const auto all = findings(table_of_many(gains, static_cast<std::uint64_t>(i)), sides, {}, true);
    found += all[0].adjusted < 0.05, alone += all[0].p < 0.05;
  }
  std::vector<PowerBasis> bases;
  for (const double gain : gains) {
    // What varies between donors: of each run its own, and what all share of the first one.
    PowerBasis& basis = bases.emplace_back();
    Rng rng(44, "basis", 0, bases.size());
    for (int i = 0; i < 2000; ++i) basis.differences.push_back(gain + 0.012 * rng.normal());
    basis.effect = gain;
  }
  const double power = PowerModel(bases[0], {bases[1], bases[2]}, 1).power({10, 1, {}});
  EXPECT_NEAR(power, found / 1000.0, 0.04);
  EXPECT_NEAR(PowerModel(bases[0], 1).power({10, 1, {}}), alone / 1000.0, 0.04);
  EXPECT_LT(found, alone - 80) << "made up for this";
}

TEST(Settling, OfSeveralRunsNeedsMoreThanOfTwo) {
  const ValueTable table = table_of_many({0.004, 0, 0}, 5);
  const std::vector<Side> sides{{"a", {0}}, {"b", {1}}, {"c", {2}}, {"d", {3}}};
  const std::vector<Finding> all = findings(table, sides, {}, true);
  const auto many = settling(all, 0, table, sides, 0.008, 1), one = settling({all[0]}, 0, table, sides, 0.008, 1);
  ASSERT_TRUE(many && one && many->donors && one->donors);
  EXPECT_LT(many->power, one->power);
  EXPECT_GT(*many->donors, *one->donors);
}

TEST(Settling, OfTooFewSeedsNothingButSeedsHelps) {
  const MadeUp how{8, 1, 0.05, 0.01, 0.04, 0.01, 2};
  const ValueTable table = table_of(how, 7);
  const std::vector<Side> sides = sides_of(how);
  const auto settled = settling(findings(table, sides, {}, true), 0, table, sides, 0.05, 1);
  ASSERT_TRUE(settled);
  EXPECT_FALSE(settled->enough_seeds);
  EXPECT_EQ(settled->power, 0);
  EXPECT_FALSE(settled->donors);
  EXPECT_EQ(settled->now.seeds.first, 1);
  EXPECT_EQ(settled->now.seeds.second, 2);
}

TEST(Settlings, TellWherePowerFalls) {
  Settling s;
  s.curve = {{6, 0.31}, {7, 0.24}, {8, 0.42}};
  EXPECT_TRUE(s.dips());
  s.curve = {{6, 0.31}, {7, 0.30}, {8, 0.42}};  // no more than the simulation errs
  EXPECT_FALSE(s.dips());
}

}  // namespace
}  // namespace nephron::host
