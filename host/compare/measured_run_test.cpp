#include <host/compare/measured_run.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <host/compare/comparability.hpp>
#include <host/compare/fold_parts.hpp>
#include <host/compare/sides.hpp>
#include <host/compare/value_table.hpp>
#include <host/util/files.hpp>
#include <tests/support/damaged.hpp>
#include <tests/support/error_of.hpp>
#include <tests/support/put_file.hpp>
#include <tests/support/scratch_folder.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string scores = R"({"run": "gone", "folds": [0], "checkpoint": "last", "precision": "fp32",
 "tta": ["flip_x", "identity"], "classes": ["a", "b"], "exclusive": false, "complete": true,
 "thresholds": {"a": 0.5, "b": 0.5}, "threshold_from": "experiment", "objects": {"least_area": 1, "fill_holes": 0},
 "measured_by": [{"metric": "dice", "plugin": "overlap", "version": "1.0.0", "parameters": "{}"}],
 "values": [{"metric": "dice", "name": "dice", "class": "a", "better": "higher"}], "failures": {}})";
const std::string slides =
    R"({"slide": "s1", "dataset": "d", "donor": "one", "fold": 0, "class": "a", "picture_sha256": "p1", "truth_sha256": "t1", "dice": 0.5}
{"slide": "s1", "dataset": "d", "donor": "one", "fold": 0, "class": "b", "picture_sha256": "p1", "truth_sha256": "t1", "dice": 0.7}
{"slide": "s2", "dataset": "d", "donor": "one", "fold": 0, "class": "a", "picture_sha256": "p2", "truth_sha256": "t2", "dice": 0.9}
{"slide": "s2", "dataset": "d", "donor": "one", "fold": 0, "class": "b", "picture_sha256": "p2", "truth_sha256": "t2", "dice": null}
{"slide": "s3", "dataset": "d", "donor": null, "fold": 0, "class": "a", "picture_sha256": "p3", "truth_sha256": "t3", "dice": 0.2}
)";
const std::string fold = R"({"trained_on": [{"id": "s9", "dataset": "d", "donor": "two", "picture": "p9"}],
 "held_out": [{"id": "s1", "dataset": "d", "reduction": 4}]})";

class MeasuredRuns : public testing::Test {
 protected:
  fs::path make(const std::string& name, const std::string& experiment) {
    const fs::path run = scratch_.path() / name;
    fs::create_directories(run / "validation");
    fs::create_directories(run / "fold-0");
    put_file(run / "experiment.resolved.toml", experiment);
    put_file(run / "validation/scores.json", scores);
    put_file(run / "validation/slides.jsonl", slides);
    put_file(run / "fold-0/slides.json", fold);
    return run;
  }
  ScratchFolder scratch_{"compare"};
};

TEST_F(MeasuredRuns, AreRead) {
  const MeasuredRun run = read_measured_run(make("one", "name = \"x\"\nseed = 3\n"));
  EXPECT_THAT(run.facts.tta, ElementsAre("flip_x", "identity"));
  ASSERT_EQ(run.slides.size(), 3U);
  const MeasuredOn& slide = run.slides.at({"d", "s1"});
  EXPECT_EQ(slide.donor, "one");
  EXPECT_EQ(slide.reduction, 4);
  EXPECT_EQ(slide.values.at("b").at("dice"), 0.7);
  EXPECT_FALSE(run.slides.at({"d", "s2"}).values.at("b").contains("dice"));
  EXPECT_EQ(run.values.at("dice").good_when, GoodWhen::higher);
  EXPECT_EQ(config_text(run, "seed"), "3");
}

TEST_F(MeasuredRuns, DonorsAreMeansOfSlidesAndSlidesOfClasses) {
  const std::vector<MeasuredRun> runs(2, read_measured_run(make("one", "name = \"x\"\n")));
  const ValueTable table = value_table(runs, common_slides(runs), "dice", "");
  EXPECT_THAT(table.donors, ElementsAre("one", "s3"));
  EXPECT_THAT(table.donor_known, ElementsAre(true, false));
  EXPECT_THAT(table.by_slide[0], ElementsAre(0.6, 0.9, 0.2));
  EXPECT_THAT(table.by_donor[1], ElementsAre(0.75, 0.2));
  EXPECT_TRUE(table.left_out.empty()) << "undefined in all of them";
  EXPECT_THAT(value_table(runs, common_slides(runs), "dice", "b").donors, ElementsAre("one"));
}

TEST_F(MeasuredRuns, AreOneSideWhereTheSeedAloneDiffers) {
  std::vector<MeasuredRun> runs;
  for (const char* text :
       {"name = \"u-1\"\nseed = 1\n[train]\nlr = 1\n", "name = \"u-2\"\nseed = 2\n[train]\nlr = 1.0\n",
        "name = \"v\"\nseed = 1\n[train]\nlr = 2\n"})
    runs.push_back(read_measured_run(make("run" + std::to_string(runs.size()), text)));
  name_apart(runs);
  const std::vector<Side> sides = sides_by_seed(runs);
  ASSERT_EQ(sides.size(), 2U);
  EXPECT_EQ(sides[0].name, "u (2 seeds)");
  EXPECT_THAT(sides[0].runs, ElementsAre(0, 1));
  const auto differences = config_differences(runs, sides, {"train"});
  ASSERT_EQ(differences.size(), 1U);
  EXPECT_EQ(differences[0].key, "train.lr");
  EXPECT_TRUE(differences[0].named);
  EXPECT_THAT(differences[0].sides[1].place, HasSubstr("run2/experiment.resolved.toml:4:"));
  EXPECT_TRUE(objections(runs, "dice").empty());
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
    text.replace(at, what.size(), by);
  return text;
}

TEST_F(MeasuredRuns, FoldsOfOneTrainingAreJoined) {
  const auto fold_one = [&](const std::string& name, const std::string& experiment, bool complete = true) {
    const fs::path run = make(name, experiment);
    fs::rename(run / "fold-0", run / "fold-1");
    put_file(run / "validation/scores.json",
             replaced(replaced(scores, "\"folds\": [0]", "\"folds\": [1]"), "\"complete\": true",
                      complete ? "\"complete\": true" : "\"complete\": false"));
    put_file(run / "validation/slides.jsonl",
             replaced(replaced(slides, "\"fold\": 0", "\"fold\": 1"), "\"slide\": \"", "\"slide\": \"other-"));
    return run;
  };
  const std::string recipe = "name = \"x\"\nseed = 3\n", other = "name = \"x\"\nseed = 4\n";
  const fs::path a0 = make("a0", recipe), b0 = make("b0", other), a1 = fold_one("a1", recipe),
                 b1 = fold_one("b1", other, /*complete=*/false), again = make("again", recipe);
  std::vector<MeasuredRun> runs;
  for (const fs::path& run : {a0, b0, a1, b1, again}) runs.push_back(read_measured_run(run));
  runs = join_folds(std::move(runs));
  name_apart(runs);
  ASSERT_EQ(runs.size(), 3U) << "the same fold a second time is another run";
  EXPECT_EQ(runs[0].parts().at(1).folder, a1);
  EXPECT_EQ(runs[1].parts().at(1).folder, b1);
  EXPECT_THAT(runs[0].facts.folds, ElementsAre(0, 1));
  EXPECT_EQ(runs[0].slides.size(), 6U);
  EXPECT_EQ(runs[0].slides.at({"d", "other-s1"}).fold, 1);
  EXPECT_EQ(runs[0].trained.size(), 2U);
  runs.pop_back();
  const std::vector<Objection> objections = nephron::host::objections(runs, "dice");
  ASSERT_EQ(objections.size(), 1U) << "nothing but what was cut short";
  EXPECT_THAT(objections[0].text, HasSubstr(b1.string() + " --continue"));

  MeasuredRun at_another = read_measured_run(a1);
  at_another.facts.thresholds["a"] = 0.4;
  EXPECT_EQ(join_folds({read_measured_run(a0), at_another}).size(), 2U) << "measured in another way";
}

TEST_F(MeasuredRuns, DamagedFilesAreRefusedByName) {
  const fs::path run = make("one", "name = \"x\"\nseed = 3\n");
  for (const auto& [file, sound] : {std::pair<const char*, std::string>{"validation/scores.json", scores},
                                    {"validation/slides.jsonl", slides},
                                    {"fold-0/slides.json", fold}}) {
    const Outcomes outcomes =
        read_damaged(500, {sound}, json_damage(), testing::AnyOf(HasSubstr(file), HasSubstr("of scores.json")),
                     [&](const std::string& text) {
                       put_file(run / file, text);
                       read_measured_run(run);
                     });
    EXPECT_GT(outcomes.refused, 200) << file;
    put_file(run / file, sound);
  }
  put_file(run / "validation/slides.jsonl", "");
  EXPECT_THAT(error_and_hint_of([&] { read_measured_run(run); }), HasSubstr("holds no slide"));
}

}  // namespace
}  // namespace nephron::host
