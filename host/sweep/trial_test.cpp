#include <host/sweep/trial.hpp>

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <host/config/load.hpp>
#include <host/sweep/sweep_plan.hpp>
#include <host/sweep/trial_check.hpp>
#include <tests/support/error_of.hpp>
#include <tests/support/put_file.hpp>
#include <tests/support/scratch_folder.hpp>

namespace nephron::host {
namespace {

using testing::HasSubstr;

std::vector<Trial> trials_of(const std::string& toml, Diagnostics& faults) {
  const Value section = parse_toml(toml, "sweep.toml");
  DecodeContext context{faults, nullptr};
  const SweepConfig config = schema_of<SweepConfig>().decode(section, context);
  return make_trials(config, section, 42, faults);
}

std::vector<Trial> good(const std::string& toml) {
  Diagnostics faults;
  std::vector<Trial> out = trials_of(toml, faults);
  EXPECT_TRUE(faults.empty()) << report(faults);
  return out;
}

TEST(Trials, AGridHasEachCombinationOnce) {
  const auto trials = good(
      "method = \"grid\"\nvary.train.batch = [2, 4]\nvary.model.encoder = [{ type = \"a\" }, { type = \"b\", x = 1 }, "
      "{ type = \"c\" }]\n");
  ASSERT_EQ(trials.size(), 6U);
  EXPECT_TRUE(equal_trials(trials).empty());
  EXPECT_EQ(trials[0].table().str(), "{ train = { batch = 2 }, model = { encoder = { type = \"a\" } } }");
  EXPECT_EQ(trials[5].table().str(), "{ train = { batch = 4 }, model = { encoder = { type = \"c\" } } }");
  EXPECT_THAT(trials[1].table().find("model")->find("encoder")->source.str(), HasSubstr("sweep.toml:3:"));
}

TEST(Trials, MoreTrialsLeaveTheFirstAsTheyWere) {
  const std::string text =
      "method = \"random\"\nvary.train.optimizer.lr = { log = [1e-4, 1e-2] }\nvary.train.batch = [2, 4, 8]\n";
  const auto few = good(text + "trials = 5"), many = good(text + "trials = 50");
  for (std::size_t t = 0; t < few.size(); ++t) EXPECT_EQ(few[t].table(), many[t].table());
}

TEST(Trials, AListIsTakenAsItStands) {
  const auto trials = good(
      "method = \"list\"\n[[list]]\ntrain.batch = 2\nmodel.encoder = { type = \"a\" }\n[[list]]\ntrain.batch = "
      "4\n[[list]]\n");
  ASSERT_EQ(trials.size(), 3U);
  EXPECT_EQ(trials[0].settings[1].key.text(), "model.encoder");
  EXPECT_TRUE(trials[2].settings.empty()) << "the experiment as it is";
}

TEST(Trials, TheFirstOfEachValueThatIsNoNumberTells) {
  const auto trials =
      good("method = \"grid\"\nvary.train.batch = [2, 4]\nvary.model.encoder = [{ type = \"a\" }, { type = \"b\" }]\n");
  EXPECT_EQ(telling_trials(trials), (std::vector<int>{0, 1}));
}

struct Fault {
  const char* toml;
  const char* message;
};
class TrialFault : public testing::TestWithParam<Fault> {};

TEST_P(TrialFault, IsOneClearError) {
  Diagnostics faults;
  trials_of(GetParam().toml, faults);
  ASSERT_EQ(faults.size(), 1U) << report(faults);
  EXPECT_THAT(faults[0].message + " / " + faults[0].hint, HasSubstr(GetParam().message));
  EXPECT_GT(faults[0].source.line, 0);
}

INSTANTIATE_TEST_SUITE_P(
    All, TrialFault,
    testing::Values(Fault{"method = \"grid\"\nvary.a = { int = [1, 1000000], count = 1000 }\nvary.b = { int = [1, "
                          "1000000], count = 1000 }\nvary.c = { int = [1, 1000000], count = 1000 }",
                          "1,000,000,000 trials; 10,000 are the most"},
                    Fault{"method = \"grid\"\nvary.a = { uniform = [0, 1] }", "no end of values for a grid"},
                    Fault{"method = \"grid\"\ntrials = 3\nvary.a = [1, 2]", "\"trials\" means nothing"},
                    Fault{"method = \"grid\"", "[sweep.vary] is missing"},
                    Fault{"method = \"random\"\nvary.a = [1, 2]", "\"trials\" is missing"},
                    Fault{"method = \"random\"\ntrials = 3\nhalving = { first_epochs = 1 }\nvary.a = [1, 2]",
                          "\"halving\" means nothing"},
                    Fault{"method = \"random\"\ntrials = 100000\nvary.a = [1, 2]", "trials"},
                    Fault{"method = \"radnom\"\ntrials = 3\nvary.a = [1, 2]", "random"},
                    Fault{"method = \"grid\"\nvaary.a = [1]\nvary.a = [1, 2]", "did you mean \"vary\"?"},
                    Fault{"method = \"grid\"\nvary.seed = [1, 2]", "seeds = [1, 2, 3]"},
                    Fault{"method = \"grid\"\nvary.data.folds.count = [3, 5]", "cannot be varied"},
                    Fault{"method = \"grid\"\nvary.name = [\"a\", \"b\"]", "cannot be varied"},
                    Fault{"method = \"list\"\nlist = []", "has no trials"}, Fault{"method = \"list\"", "has no trials"},
                    Fault{"method = \"list\"\nlist = [3]", "must be a table"},
                    Fault{"method = \"list\"\n[[list]]\na = 1\n[[list]]\na = 1", "sweep.toml:2:"},
                    Fault{"method = \"list\"\nvary.a = [1, 2]\n[[list]]\na = 1", "\"vary\" means nothing"}));

TEST(Plan, RungsEndWhereTheTrainingEnds) {
  EXPECT_EQ(rungs_of(4, 3, 40), (std::vector<std::int64_t>{4, 12, 40}));
  EXPECT_EQ(rungs_of(1, 3, 27), (std::vector<std::int64_t>{1, 3, 9, 27}));
  EXPECT_EQ(rungs_of(40, 3, 40), (std::vector<std::int64_t>{40}));
  EXPECT_EQ(rungs_of(30, 3, 40), (std::vector<std::int64_t>{40})) << "what lies near the end is the end";
}

SweepPlan a_plan(int trials = 3) {
  SweepPlan out;
  out.name = "a-sweep", out.method = "grid", out.score = "best", out.started = "20260131-120000", out.digest = "d";
  out.seeds = {1, 2}, out.folds = {0}, out.rungs = {1, 3};
  out.confirm = SweepPlan::Confirm{2, {1, 2}, {3, 4}};
  out.axes = {{"train.batch", false}};
  for (int t = 0; t < trials; ++t) out.trials.push_back({3, {{"train.batch", std::to_string(t)}}});
  return out;
}

TEST(Plan, ComesBackAsItWas) {
  const ScratchFolder scratch("plan");
  put_file(scratch.path() / "plan.json", a_plan().json());
  EXPECT_EQ(SweepPlan::read(scratch.path() / "plan.json").json(), a_plan().json());
}

TEST(Plan, DamageIsOneErrorThatNamesTheFile) {
  const ScratchFolder scratch("plan");
  const std::filesystem::path file = scratch.path() / "plan.json";
  const std::string text = a_plan().json();
  for (std::size_t length = 0; length + 2 < text.size(); length += 7) {
    put_file(file, text.substr(0, length));
    EXPECT_THAT(error_of([&] { SweepPlan::read(file); }), HasSubstr("plan.json")) << length;
  }
  for (const auto& [from, to] : {std::pair{"\"rungs\":", "\"rugs\":"},
                                 {"\"eta\": 2", "\"eta\": 0"},
                                 {"\"top\": 2", "\"top\": -1"},
                                 {"\"folds\": [", "\"folds\": [-1, "},
                                 {"\"trials\": [", "\"trials\": [3, "}}) {
    std::string wrong = text;
    const std::size_t at = wrong.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    wrong.replace(at, std::string(from).size(), to);
    put_file(file, wrong);
    EXPECT_THAT(error_of([&] { SweepPlan::read(file); }), HasSubstr("plan.json")) << to;
  }
}

TEST(Plan, EveryRunHasANameOfItsOwnThatDependsOnThePlanAlone) {
  const SweepPlan plan = a_plan(3000);
  const SweepMembers first(plan), second(plan);
  std::set<std::string> names;
  for (int t = 0; t < 3000; ++t)
    for (const auto* members : {&first.of(t), &first.confirming(t)})
      for (const SweepMember& member : *members) EXPECT_TRUE(names.insert(member.run).second) << member.run;
  EXPECT_EQ(names.size(), 3000U * 4);
  EXPECT_EQ(first.of(17)[1].run, second.of(17)[1].run);
  EXPECT_TRUE(first.of(0)[0].run.starts_with("20260131-120000-"));
}

}  // namespace
}  // namespace nephron::host
