// What `nephron validate` says of held-out slides is what `nephron predict` says of them, fold by fold.
#include <nlohmann/json.hpp>

#include <nephron/csv.hpp>

#include <tests/integration/train/train_fixture.hpp>

namespace nephron::host {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class Validate : public Train {
 protected:
  std::vector<std::string> command(std::vector<std::string> more = {}) const {
    std::vector<std::string> out{"validate", only_run().folder().string(), "--plugin", NEPHRON_TINY, "--device", "cpu"};
    out.insert(out.end(), more.begin(), more.end());
    return out;
  }
  fs::path made(const std::string& name) const { return only_run().folder() / "validation" / name; }
  json scores() const { return json::parse(read_file(made("scores.json"))); }
  CsvTable table(const std::string& name) const { return CsvTable::read(made(name)); }

  /// Dice of the pictures that a fold held out, as predict says it, and its curve.
  std::map<std::string, double> predicted(int fold, const fs::path& data, const std::vector<std::string>& more) {
    const fs::path held = root_ / ("held-" + std::to_string(fold)), out = root_ / ("out-" + std::to_string(fold));
    fs::create_directories(held);
    const json slides = json::parse(read_file(only_run().fold(fold).slides()));
    for (const auto& slide : slides.at("held_out")) {
      const std::string file = slide.at("id").get<std::string>() + ".png";
      fs::copy(data / "images" / file, held / file);
    }
    std::vector<std::string> arguments{"predict",  only_run().fold(fold).folder.string(),
                                       "--images", held.string(),
                                       "--masks",  (data / "masks").string(),
                                       "--out",    out.string(),
                                       "--device", "cpu"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    run(arguments, 0);
    std::map<std::string, double> dice;
    const json all = json::parse(read_file(out / "scores.json"));
    for (const auto& [id, picture] : all.at("pictures").items())
      dice[id] = picture.at("dice_reduced").at("disc").get<double>();
    return dice;
  }
};

TEST_F(Validate, SaysOfEachFoldWhatPredictSays) {
  run(train_command({"--fold", "all", "--set", "data.factor=2"}), 0);
  const std::string said =
      run(command({"--metrics", "dice,iou,boundary,detection,average_precision,auprc", "--set", "boundary.unit=px",
                   "--set", "boundary.tau=[1, 2]", "--save", "probabilities,masks"}),
          0);
  EXPECT_THAT(said, HasSubstr("best threshold"));
  EXPECT_THAT(said, HasSubstr("nsd@1px"));
  const json all = scores();
  EXPECT_EQ(all.at("complete"), true);
  ASSERT_EQ(all.at("slides").size(), 6U) << "each slide once";
  EXPECT_EQ(all.at("failures").size(), 0U);

  const CsvTable slides = table("slides.csv");
  ASSERT_EQ(slides.rows(), 6U);
  std::map<std::string, double> dice;
  std::map<std::string, int> fold;
  for (std::size_t i = 0; i < slides.rows(); ++i) {
    const std::string& id = slides.cell(i, slides.column("slide"));
    dice[id] = slides.number(i, slides.column("dice")).value();
    fold[id] = static_cast<int>(slides.number(i, slides.column("fold")).value());
    EXPECT_EQ(slides.cell(i, slides.column("picture_sha256")).size(), 64U);
    EXPECT_EQ(slides.cell(i, slides.column("truth_sha256")).size(), 64U);
    EXPECT_TRUE(fs::exists(made("masks/disc/" + id + ".png")));
  }
  double best = 0;
  for (const int k : {0, 1, 2})
    for (const auto& [id, value] : predicted(k, *data_ / "data", {})) {
      EXPECT_EQ(fold.at(id), k);
      // predict's Dice has 1e-8 on both sides of its fraction.
      EXPECT_NEAR(dice.at(id), value, 1e-6) << id;
      best = std::max(best, value);
    }
  EXPECT_GT(best, 0.3) << "a network that finds nothing proves nothing";

  // The curve of one slide, by way of the saved map: 8 bits are enough for all but its edges.
  const json& curve = all.at("dice_by_threshold").at("disc");
  EXPECT_EQ(curve.at("thresholds").size(), 11U);
  EXPECT_EQ(curve.at("curves").size(), 6U);
  double mean = 0;
  for (const auto& [id, value] : dice) mean += value / 6;
  EXPECT_NEAR(curve.at("at_0.5").at("mean").get<double>(), mean, 1e-6);
  EXPECT_NEAR(curve.at("mean_dice").at(6).get<double>(), mean, 1e-6);
  EXPECT_GE(curve.at("at_each_slides_best").at("mean"), curve.at("at_best_threshold").at("mean"));
  EXPECT_GE(curve.at("at_best_threshold").at("mean").get<double>() + 1e-9, mean);

  const CsvTable objects = table("objects.csv");
  std::size_t found = 0, truth = 0;
  for (std::size_t i = 0; i < objects.rows(); ++i)
    ++(objects.cell(i, objects.column("side")) == "found" ? found : truth);
  EXPECT_EQ(truth, 18U) << "three discs a slide";
  EXPECT_GT(found, 0U);
}

TEST_F(Validate, RefusesWhatItCannotDo) {
  run(train_command({"--set", "train.epochs=1"}), 0);
  EXPECT_THAT(run(command({"--metrics", "dyce"}), 2), HasSubstr("did you mean \"dice\""));
  EXPECT_THAT(run(command({"--metrics", "dice,dice"}), 2), HasSubstr("named twice"));
  EXPECT_THAT(run(command({"--set", "boundary.tau=3"}), 2), HasSubstr("is not asked for"));
  EXPECT_THAT(run(command({"--fold", "2"}), 2), HasSubstr("is not in"));
  EXPECT_FALSE(fs::exists(made("scores.json")));
  const json out = json::parse(run(command({"--json"}), 0).substr(0));
  EXPECT_EQ(out.at("folds"), json::array({0}));
  EXPECT_EQ(out.at("slides").size(), 2U);
  EXPECT_THAT(run(command(), 1), HasSubstr("--overwrite"));
  run(command({"--overwrite", "--min-area", "100000", "--metrics", "detection"}), 0);
  EXPECT_EQ(table("objects.csv").rows(), 0U) << "all objects are smaller";
}

TEST_F(Validate, RunsThatWereMeasuredAreCompared) {
  for (const char* seed : {"1", "2"}) run(train_command({"--fold", "all", "--set", std::string("seed=") + seed}), 0);
  std::vector<std::string> compare{"compare"};
  for (const fs::path& folder : runs()) compare.push_back(folder.string());
  ASSERT_EQ(compare.size(), 3U);
  EXPECT_THAT(run(compare, 1), HasSubstr("nephron validate"));
  for (const fs::path& folder : runs())
    run({"validate", folder.string(), "--plugin", NEPHRON_TINY, "--device", "cpu"}, 0);
  const json scores = json::parse(read_file(runs().at(0) / "validation/scores.json"));
  EXPECT_EQ(scores.at("threshold_from"), "experiment");
  EXPECT_EQ(scores.at("measured_by").at(0).at("metric"), "dice");
  EXPECT_EQ(scores.at("values").at(0).at("better"), "higher");
  EXPECT_TRUE(scores.at("slides").at(0).contains("donor"));
  compare.emplace_back("--json");
  const json said = json::parse(run(compare, 0));
  EXPECT_TRUE(said.at("comparable"));
  EXPECT_EQ(said.at("findings").at(0).at("donors"), 6) << "slides without a donor are their own";
  EXPECT_EQ(said.at("configuration").at(0).at("key"), "seed");
  EXPECT_THAT(said.at("configuration").at(0).at("sides").at(0).at("written"), HasSubstr("--set seed="));
  EXPECT_GT(said.at("runs").at(0).at("seconds").get<double>(), 0);
  const json& objects = said.at("objects").at(0);
  EXPECT_EQ(objects.at("kept").get<int>() + objects.at("won").get<int>() + objects.at("lost").get<int>() +
                objects.at("missed_by_both").get<int>(),
            18)
      << "three discs a slide";
}

TEST_F(Validate, ClassesThatExcludeEachOtherHaveNoThreshold) {
  write_experiment("", R"({ type = "ce" })");
  run(train_command({"--set", R"(classes=["disc", "other"])", "--set", "exclusive=true", "--set",
                     "dataset.0.values={disc=255, other=7}", "--set", "train.epochs=2"}),
      0);
  EXPECT_THAT(run(command({"--threshold", "0.4"}), 2), HasSubstr("exclude each other"));
  run(command({"--metrics", "dice,confusion"}), 0);
  const json all = scores();
  EXPECT_EQ(all.at("dice_by_threshold").size(), 0U);
  const CsvTable slides = table("slides.csv");
  ASSERT_EQ(slides.rows(), 4U) << "two slides, two classes";
  EXPECT_EQ(slides.number(1, slides.column("as_disc")), std::nullopt) << "no truth of the other class";
}

}  // namespace
}  // namespace nephron::host
