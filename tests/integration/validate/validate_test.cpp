// What `nephron validate` says of held-out slides is what `nephron predict` says of them, fold by fold.
#include <chrono>
#include <csignal>
#include <thread>

#include <nlohmann/json.hpp>

#include <nephron/csv.hpp>

#include <tests/integration/train/train_fixture.hpp>
#include <tests/support/small_disk.hpp>

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
    if (!more.empty()) measured_by_predict_.push_back(CsvTable::read(out / "slides.csv"));
    std::map<std::string, double> dice;
    const json all = json::parse(read_file(out / "scores.json"));
    for (const auto& [id, picture] : all.at("pictures").items())
      dice[id] = picture.at("dice_reduced").at("disc").get<double>();
    return dice;
  }
  std::vector<CsvTable> measured_by_predict_;
};

/// Each fold at the threshold that is best for the others' slides.
void expect_cross_fitted(const json& scores, const json& of_class) {
  const json &slides = scores.at("slides"), &curves = of_class.at("curves"),
             &crossed = of_class.at("at_other_folds_best");
  ASSERT_EQ(slides.size(), curves.size());
  double mean = 0;
  for (std::size_t k = 0; k < curves.size(); ++k) {
    const int fold = slides.at(k).at("fold");
    std::vector<double> others(of_class.at("thresholds").size());
    for (std::size_t j = 0; j < curves.size(); ++j)
      for (std::size_t t = 0; t < others.size() && slides.at(j).at("fold") != fold; ++t)
        others[t] += curves.at(j).at(t).get<double>();
    const auto best = static_cast<std::size_t>(std::max_element(others.begin(), others.end()) - others.begin());
    EXPECT_EQ(crossed.at("thresholds").at(std::to_string(fold)), of_class.at("thresholds").at(best));
    mean += curves.at(k).at(best).get<double>() / static_cast<double>(curves.size());
  }
  EXPECT_NEAR(crossed.at("mean").get<double>(), mean, 1e-9);
}

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
  const std::vector<std::string> measuring{"--metrics",    "dice,iou,boundary,detection,average_precision,auprc",
                                           "--set",        "boundary.unit=px",
                                           "--set",        "boundary.tau=[1, 2]",
                                           "--least-area", "1"};
  for (const int k : {0, 1, 2})
    for (const auto& [id, value] : predicted(k, *data_ / "data", measuring)) {
      EXPECT_EQ(fold.at(id), k);
      // predict's Dice has 1e-8 on both sides of its fraction.
      EXPECT_NEAR(dice.at(id), value, 1e-6) << id;
      best = std::max(best, value);
    }
  EXPECT_GT(best, 0.3) << "a network that finds nothing proves nothing";
  std::size_t compared = 0;
  for (const CsvTable& theirs : measured_by_predict_)
    for (std::size_t i = 0; i < theirs.rows(); ++i) {
      std::size_t row = 0;
      while (slides.cell(row, slides.column("slide")) != theirs.cell(i, theirs.column("slide"))) ++row;
      for (const char* name : {"dice", "iou", "nsd@1px", "nsd@2px", "hd95", "assd", "object_f1@0.5", "ap@0.5-0.95",
                               "auprc", "picture_sha256", "width"}) {
        EXPECT_EQ(theirs.cell(i, theirs.column(name)), slides.cell(row, slides.column(name))) << name;
        ++compared;
      }
    }
  EXPECT_EQ(compared, 66U);

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

  expect_cross_fitted(all, curve);

  const CsvTable objects = table("objects.csv");
  std::size_t found = 0, truth = 0;
  for (std::size_t i = 0; i < objects.rows(); ++i)
    ++(objects.cell(i, objects.column("side")) == "found" ? found : truth);
  EXPECT_EQ(truth, 18U) << "three discs a slide";
  EXPECT_GT(found, 0U);
}

/// Every file of a validation.
std::map<std::string, std::string> files_of(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file() && entry.path().filename() != ".lock")  // it names the process
      files[fs::relative(entry.path(), folder).string()] = read_file(entry.path());
  return files;
}

TEST_F(Validate, GoesOnWhereItWasInterrupted) {
  run(train_command({"--fold", "all", "--set", "train.epochs=1"}), 0);
  const std::vector<std::string> how{"--metrics",
                                     "dice,iou,precision,recall,auprc,calibration,brier,boundary,centres,detection,"
                                     "panoptic,average_precision,counts,confusion",
                                     "--set",
                                     "boundary.unit=px",
                                     "--save",
                                     "probabilities"};
  const auto into = [&](const std::string& out, const std::string& more = "") {
    std::vector<std::string> words = command(how);
    words.insert(words.end(), {"--out", (root_ / out).string()});
    if (!more.empty()) words.push_back(more);
    return words;
  };
  run(into("whole"), 0);
  const auto expected = files_of(root_ / "whole");
  const auto measured = [&](const std::string& out) {
    std::error_code none;
    return std::distance(fs::directory_iterator(root_ / out / "measures", none), fs::directory_iterator());
  };
  ASSERT_EQ(measured("whole"), 6);
  for (const int signal : {SIGKILL, SIGINT}) {
    const std::string out = "signal" + std::to_string(signal);
    {
      Program program(into(out), output());
      while (!program.done() && measured(out) < 2) std::this_thread::sleep_for(std::chrono::microseconds(200));
      program.signal(signal);
      program.wait();
    }
    const std::string said = run(into(out, "--continue"), 0);
    EXPECT_THAT(said, HasSubstr("measured 6 slides, "));
    EXPECT_THAT(said, HasSubstr(" of them before"));
    EXPECT_EQ(files_of(root_ / out) == expected, true) << signal;
  }
  // Damaged, of other labels, or gone: measured again, in the same end.
  const fs::path out = root_ / "signal9";
  std::ofstream(out / "measures/s1.json") << "{\"key\":";
  std::ofstream(out / "measures/s2.json") << std::string(100'000, '[');
  fs::remove(out / "measures/s3.json");
  json other = json::parse(read_file(out / "measures/s4.json"));
  other["truth"] = std::string(64, '0');
  std::ofstream(out / "measures/s4.json") << other;
  const std::string said = run(into("signal9", "--continue"), 0);
  EXPECT_THAT(said, HasSubstr("measured 6 slides, 2 of them before"));
  EXPECT_THAT(said, HasSubstr("measures/s1.json"));
  EXPECT_EQ(files_of(out) == expected, true);
  std::vector<std::string> differs = into("signal9", "--continue");
  differs.insert(differs.end(), {"--threshold", "0.4"});
  EXPECT_THAT(run(differs, 1), HasSubstr("another thresholds: [0.5] there, [0.4] now"));
}

TEST_F(Validate, AFullDiskStopsItAndRoomLetsItGoOn) {
  run(train_command({"--fold", "all", "--set", "train.epochs=1"}), 0);
  const auto into = [&](const std::string& out, const std::string& more = "") {
    std::vector<std::string> words = command({"--metrics", "dice,auprc", "--save", "probabilities,masks"});
    words.insert(words.end(), {"--out", (root_ / out).string()});
    if (!more.empty()) words.push_back(more);
    return words;
  };
  run(into("whole"), 0);
  const SmallDisk disk(root_ / "full", 800);  // what is kept of a slide for auprc has 300 KB
  if (!disk.there()) GTEST_SKIP() << "no disk can be mounted here";
  for (const char* more : {"", "--continue"}) {
    const std::string said = run(into("full", more), 1);
    EXPECT_THAT(said, HasSubstr("cannot write " + (root_ / "full/measures").string()));
    EXPECT_THAT(said, HasSubstr("No space left on device"));
    EXPECT_THAT(said, HasSubstr("What was measured stays: to go on, give the same command with --continue"));
    EXPECT_THAT(said, testing::Not(HasSubstr("left out")));
  }
  ASSERT_TRUE(disk.grow(20'000));
  EXPECT_THAT(run(into("full", "--continue"), 0), HasSubstr(" of them before"));
  EXPECT_EQ(files_of(root_ / "full") == files_of(root_ / "whole"), true);
}

TEST_F(Validate, GlassIsSkippedAndTissueMeasuredAsItIs) {
  // One slide, tissue on its left, glass from there on, of more than 64 tiles.
  const fs::path data = root_ / "glass";
  fs::create_directories(data / "images"), fs::create_directories(data / "masks");
  for (int i = 0; i < 3; ++i) {
    cv::Mat image(400, 500, CV_8UC3, cv::Scalar(250, 250, 250)), mask(400, 500, CV_8UC1, cv::Scalar(0));
    cv::rectangle(image, {0, 0, 220, 400}, cv::Scalar(120, 60, 190), cv::FILLED);
    cv::circle(image, {100, 100 + 40 * i}, 40, cv::Scalar(120, 40, 130), cv::FILLED);
    cv::circle(mask, {100, 100 + 40 * i}, 40, cv::Scalar(255), cv::FILLED);
    const std::string name = "g" + std::to_string(i) + ".png";
    cv::imwrite((data / "images" / name).string(), image), cv::imwrite((data / "masks" / name).string(), mask);
  }
  run(train_command({"--set", "dataset.0.root=" + data.string(), "--set", "train.epochs=1"}), 0);
  run(command({"--save", "probabilities", "--out", (root_ / "some").string()}), 0);
  run(command({"--save", "probabilities", "--out", (root_ / "all").string(), "--all-tiles"}), 0);
  const cv::Mat some = cv::imread((root_ / "some/probabilities/disc/g0.png").string(), cv::IMREAD_UNCHANGED),
                all = cv::imread((root_ / "all/probabilities/disc/g0.png").string(), cv::IMREAD_UNCHANGED);
  ASSERT_EQ(some.size(), cv::Size(500, 400));
  EXPECT_EQ(cv::norm(some.colRange(0, 220), all.colRange(0, 220), cv::NORM_INF), 0) << "tissue";
  EXPECT_EQ(cv::countNonZero(some.colRange(300, 500)), 0) << "glass";
  EXPECT_GT(cv::countNonZero(all.colRange(300, 500)), 0) << "a network that says 0 there proves nothing";
}

/// Two names that are the same once a dash is between them.
TEST_F(Validate, SlidesOfTwoDatasetsHaveFilesOfTheirOwn) {
  for (const auto& [dataset, slide] : {std::pair("one", "b-s0.png"), std::pair("two", "s0.png")})
    for (const char* folder : {"images", "masks"}) {
      fs::create_directories(root_ / dataset / folder);
      fs::copy_file(*data_ / "data" / folder / (dataset == std::string("one") ? "s0.png" : "s1.png"),
                    root_ / dataset / folder / slide);
    }
  // Two slides, one a dataset, each held out by a fold of its own.
  std::string text = read_file(root_ / "tiny.toml");
  text.replace(text.find("[[dataset]]"), text.find("[sampler]") - text.find("[[dataset]]"),
               "[[dataset]]\nname = \"a\"\ntype = \"image_folder\"\nroot = \"one\"\n"
               "[[dataset]]\nname = \"a-b\"\ntype = \"image_folder\"\nroot = \"two\"\n");
  write_file_atomically(root_ / "tiny.toml", text);
  run(train_command({"--fold", "all", "--set", "data.folds.count=2", "--set", "train.epochs=1"}), 0);
  run(command({"--save", "masks"}), 0);
  for (const char* file :
       {"masks/disc/a/b-s0.png", "masks/disc/a-b/s0.png", "measures/a/b-s0.json", "measures/a-b/s0.json"})
    EXPECT_TRUE(fs::exists(made(file))) << file;
  const auto whole = files_of(made(""));
  EXPECT_THAT(run(command({"--save", "masks", "--continue"}), 0), HasSubstr("2 of them before"));
  EXPECT_EQ(files_of(made("")) == whole, true);
  run(command({"--overwrite", "--threshold", "0.9"}), 0);
  for (const char* file : {"masks/disc/a/b-s0.png", "masks/disc/a-b/s0.png"})
    EXPECT_FALSE(fs::exists(made(file))) << "masks of another threshold pass for this one's: " << file;
}

TEST_F(Validate, RefusesWhatItCannotDo) {
  run(train_command({"--set", "train.epochs=1"}), 0);
  EXPECT_THAT(run(command({"--metrics", "dyce"}), 2), HasSubstr("did you mean \"dice\""));
  EXPECT_THAT(run(command({"--metrics", "dice,dice"}), 2), HasSubstr("named twice"));
  EXPECT_THAT(run(command({"--set", "boundary.tau=3"}), 2), HasSubstr("is not asked for"));
  EXPECT_THAT(run(command({"--fold", "2"}), 2), HasSubstr("is not in"));
  EXPECT_THAT(run(command({"--set", "dice.x=1"}), 2),
              HasSubstr("metric \"dice\" has no parameter \"x\"; it has \"empty\""));
  EXPECT_THAT(run(command({"--tta", "flip_x,flip_x"}), 2), HasSubstr("names \"flip_x\" twice"));
  EXPECT_THAT(run({"validate", (root_ / "no-run").string()}, 2), HasSubstr("no-run"));
  EXPECT_FALSE(fs::exists(made("scores.json")));
  const json out = json::parse(run(command({"--json"}), 0).substr(0));
  EXPECT_EQ(out.at("folds"), json::array({0}));
  EXPECT_EQ(out.at("slides").size(), 2U);
  EXPECT_THAT(run(command(), 1), HasSubstr("--overwrite"));
  run(command({"--overwrite", "--min-area", "100000", "--metrics", "detection"}), 0);
  EXPECT_EQ(table("objects.csv").rows(), 0U) << "all objects are smaller";
}

TEST_F(Validate, WhatCannotBeMeasuredAnewStays) {
  run(train_command({"--set", "train.epochs=1"}), 0);
  run(command(), 0);
  const auto before = files_of(made(""));
  if (!fs::exists("/dev/nvidiactl")) {
    run(command({"--overwrite", "--device", "cuda"}), 2);  // the later one counts
    EXPECT_EQ(files_of(made("")) == before, true);
  }
  const std::string held_out = scores().at("slides").at(0).at("slide").get<std::string>();
  const fs::path picture = *data_ / "data/images" / (held_out + ".png");
  cv::Mat image = cv::imread(picture.string());
  image.at<cv::Vec3b>(0, 0)[0] ^= 255;
  cv::imwrite(picture.string(), image);
  EXPECT_THAT(run(command({"--overwrite"}), 1), HasSubstr("not those that this fold began with"));
  EXPECT_EQ(files_of(made("")) == before, true);
}

TEST_F(Validate, FiguresOfOlderWeightsAreNotTheRuns) {
  run(train_command({"--until-epoch", "1", "--set", "train.epochs=2"}), 0);
  const fs::path folder = only_run().folder();
  run(command({"--checkpoint", "last"}), 0);
  EXPECT_EQ(scores().at("weights").size(), 1U);
  const auto listed = [&] {
    return json::parse(
               run({"runs", "list", "--runs", folder.parent_path().parent_path().string(), "--json", "--columns", "*"},
                   0))
        .at(0);
  };
  EXPECT_EQ(listed().at("validation"), "whole");
  EXPECT_TRUE(listed().at("score.dice").is_number());
  run({"train", "--resume", folder.string(), "--plugin", NEPHRON_TINY, "--device", "cpu"}, 0);
  EXPECT_THAT(listed().at("validation").get<std::string>(), HasSubstr("of older weights: fold 0 at step-"));
  EXPECT_FALSE(listed().contains("score.dice"));
  run(command({"--checkpoint", "last", "--out", (root_ / "now").string()}), 0);
  EXPECT_THAT(run({"compare", folder.string(), (root_ / "now").string()}, 1),
              HasSubstr("measured before it was trained further (fold 0 at step-"));
  run({"report", folder.string(), "--out", (root_ / "report.html").string()}, 0);
  EXPECT_THAT(read_file(root_ / "report.html"), HasSubstr("was trained further since it was measured"));
  run(command({"--checkpoint", "last", "--overwrite"}), 0);
  EXPECT_EQ(listed().at("validation"), "whole");
  // Weights are told by one name everywhere, and other bytes of that name are other weights.
  EXPECT_EQ(json::parse(read_file(made("validate.json"))).at("weights"), scores().at("weights"));
  EXPECT_THAT(read_file(made("validate.json")), testing::Not(HasSubstr("checkpoints")));
  run(command({"--checkpoint", "last", "--continue"}), 0);
  const fs::path weights = RunFolder::open(folder).fold(0).weights("last");
  std::ofstream(weights, std::ios::app) << ' ';
  EXPECT_THAT(run(command({"--checkpoint", "last", "--continue"}), 1), HasSubstr("not the file that training wrote"));
  fs::remove(weights.parent_path() / "checkpoint.sha256");  // checkpoints of earlier versions have none
  EXPECT_THAT(run(command({"--checkpoint", "last", "--continue"}), 1), HasSubstr("another weights_sha256"));
}

// A link that moves on while folds are measured, as that of a run that is trained does.
TEST_F(Validate, TheWeightsOfItsStartAreThoseThatItMeasures) {
  run(train_command({"--fold", "all", "--set", "train.epochs=1"}), 0);
  const auto into = [&](const char* out) { return command({"--checkpoint", "last", "--out", (root_ / out).string()}); };
  run(into("still"), 0);
  {
    Program program(into("moved"), output());
    while (!program.done() && !fs::exists(root_ / "moved/validate.json"))
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    for (const int fold : {1, 2}) {  // no network is there yet, and that of fold 0 comes first
      const fs::path checkpoints = only_run().fold(fold).folder / "checkpoints";
      fs::copy(fs::canonical(only_run().fold(0).weights("last")).parent_path(), checkpoints / "step-99");
      fs::create_directory_symlink("step-99", checkpoints / "next");
      fs::rename(checkpoints / "next", checkpoints / "last");
    }
    EXPECT_EQ(program.wait(), 0) << program.output();
  }
  EXPECT_EQ(files_of(root_ / "moved") == files_of(root_ / "still"), true);
  run(into("later"), 0);
  EXPECT_NE(read_file(root_ / "later/scores.json"), read_file(root_ / "still/scores.json")) << "other weights";
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
