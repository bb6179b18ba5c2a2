// `nephron predict` and `nephron data export` as whole commands.
#include <map>

#include <sys/resource.h>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <tests/integration/predict/predict_fixture.hpp>

namespace nephron::host {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(Predict, KnownAnswerWhateverTheTilingAndFlips) {
  for (const char* how : {"", "--tta identity,flip_x,flip_y,flip_xy --overlap 2", "--whole", "--tile 16 --batch 3",
                          "--checkpoint last --fold 0 --tta flip_xy --whole"}) {
    const Outcome outcome = predict(std::string("--overwrite --device cpu ") + how + masks());
    ASSERT_EQ(outcome.code, 0) << how << "\n" << outcome.text;
    for (const char* id : {"a", "b", "c"}) EXPECT_LE(worst(id), 1) << how << " " << id;
    EXPECT_THAT(outcome.text, HasSubstr("1.0000")) << how;
    const auto scores = nlohmann::json::parse(read_file(root / "out/scores.json"));
    EXPECT_EQ(scores["pictures"].size(), 3U);
    EXPECT_NEAR(scores["mean"]["dice"]["glomerulus"].get<double>(), 1, 1e-9) << how;
  }
}

// What a network has seen says nothing of new pictures: by name, and by file wherever it is called otherwise.
TEST_F(Predict, PicturesThatWereTrainedOnAreNamed) {
  std::ofstream(run / "fold-0/slides.json") << R"({"trained_on": [{"id": "x", "dataset": "d", "donor": "", "source": ")"
                                            << (root / "images/b.png").string() << R"("}], "held_out": []})";
  const Outcome outcome = predict("--device cpu" + masks());
  ASSERT_EQ(outcome.code, 0) << outcome.text;
  EXPECT_THAT(outcome.text, HasSubstr("1 of 3 pictures"));
  const auto scores = nlohmann::json::parse(read_file(root / "out/scores.json"));
  EXPECT_TRUE(scores["trained_on"].contains("b")) << scores.dump(1);
  EXPECT_FALSE(scores["trained_on"].contains("a"));
  const Outcome page = nephron("report " + run.string() + " --predictions " + (root / "out").string() + " --out " +
                               (root / "page.html").string());
  ASSERT_EQ(page.code, 0) << page.text;
  EXPECT_THAT(read_file(root / "page.html"), HasSubstr("trained on (same file"));
}

// Equal pixels under another name were trained on; others of an equal name were not, where the run knows the pixels of
// its slides at the level of the prediction.
TEST_F(Predict, PicturesThatWereTrainedOnAreToldByTheirPixels) {
  ASSERT_EQ(predict("--device cpu" + masks()).code, 0);
  const auto scores = [&] { return nlohmann::json::parse(read_file(root / "out/scores.json")); };
  const std::string digest = scores()["pictures"]["c"]["digests"]["picture"];
  const nlohmann::json slides{
      {{"id", "a"}, {"reduction", 1}, {"picture", "0123"}},
      {{"id", "x"}, {"reduction", 1}, {"picture", digest}},
      {{"id", "b"}, {"reduction", 2}, {"picture", "4567"}},  // at another level
  };
  std::ofstream(run / "fold-0/slides.json")
      << nlohmann::json{{"trained_on", slides}, {"held_out", nlohmann::json::array()}};
  const nlohmann::json expected{{"b", {{"by", "name"}, {"folds", {0}}}}, {"c", {{"by", "pixels"}, {"folds", {0}}}}};
  const Outcome outcome = predict("--device cpu --overwrite" + masks());
  EXPECT_THAT(outcome.text, HasSubstr("2 of 3 pictures were trained on (\"b\", \"c\")"));
  EXPECT_EQ(scores()["trained_on"], expected);
  EXPECT_EQ(predict("--device cpu --continue" + masks()).code, 0);
  EXPECT_EQ(scores()["trained_on"], expected) << "what was finished before";
}

TEST_F(Predict, PredictedMasksDoNotMixWithTrueOnes) {
  const Outcome outcome = nephron("predict " + run.string() + " --images " + (root / "images").string() + " --out " +
                                  root.string() + " --overwrite");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.text, HasSubstr((root / "masks").string() + " is there already, and no prediction made it"));
}

TEST_F(Predict, InTheFirstEpochLastIsOffered) {
  fs::remove(run / "fold-0/checkpoints/best");
  const Outcome outcome = predict();
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.text, HasSubstr("--checkpoint last"));
}

TEST_F(Predict, AMaskThatIsNotThereIsNamed) {
  fs::remove(root / "masks/b.png");
  const Outcome outcome = predict("--device cpu" + masks());
  ASSERT_EQ(outcome.code, 0) << outcome.text;
  EXPECT_THAT(outcome.text, HasSubstr((root / "masks/b.png").string()));
}

// What a killed prediction was writing is removed by the next one; what somebody else writes is not.
TEST_F(Predict, LeftoversOfDeadProcessesGo) {
  ASSERT_EQ(predict("--device cpu").code, 0);
  const fs::path dead = output("masks", "a").string() + ".tmp.999999999",
                 alive = output("masks", "b").string() + ".tmp." + std::to_string(::getpid()),
                 other = root / "out/masks/glomerulus/notes.tmp.txt";
  for (const fs::path& file : {dead, alive, other}) std::ofstream(file) << "x";
  ASSERT_EQ(predict("--device cpu --overwrite").code, 0);
  EXPECT_FALSE(fs::exists(dead));
  EXPECT_TRUE(fs::exists(alive));
  EXPECT_TRUE(fs::exists(other));
}

TEST_F(Predict, Bf16IsClose) {
  const Outcome outcome = predict("--precision bf16 --device cpu");
  ASSERT_EQ(outcome.code, 0) << outcome.text;
  EXPECT_LE(worst("a"), 4);
}

TEST_F(Predict, FoldsAreAveraged) {
  const fs::path two = make_run(1, 2);
  ASSERT_EQ(predict("", two).code, 0);
  const Image map = read_picture(output("probabilities", "a"));
  for (int x = 0; x < 70; ++x) EXPECT_NEAR(map.view().row<std::uint8_t>(20)[3 * x], 128, 1);
  ASSERT_EQ(predict("--overwrite", two / "fold-0").code, 0);
  EXPECT_LE(worst("a"), 1);
  const Outcome wrong = predict("--overwrite --fold 5", two);
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.text, HasSubstr("it has 0, 1, or \"all\""));
}

TEST_F(Predict, ReducedPicturesComeBackAtTheirSize) {
  const Outcome outcome = predict(masks() + "--threshold search", make_run(2));
  ASSERT_EQ(outcome.code, 0) << outcome.text;
  EXPECT_EQ(read_picture(output("probabilities", "a")).size(), (Size{70, 45}));
  EXPECT_EQ(read_picture(output("masks", "c")).size(), (Size{5, 100}));
  EXPECT_THAT(outcome.text, HasSubstr("reduced"));
}

TEST_F(Predict, BadPicturesAreReportedAndTheRestGoOn) {
  std::ofstream(root / "images/bad.png") << "no picture";
  save_png(root / "masks/b.png", Image({3, 3}, 1).view());
  const Outcome outcome = predict(masks());
  EXPECT_EQ(outcome.code, 1) << outcome.text;
  EXPECT_THAT(outcome.text, HasSubstr("bad.png: it is damaged"));
  EXPECT_THAT(outcome.text, HasSubstr("3 x 3 px; its picture is 16 x 16 px"));
  EXPECT_THAT(outcome.text, HasSubstr("predicted 2 pictures, 2 failed"));
  EXPECT_EQ(outcome.text.find("bad.png: it is damaged"), outcome.text.rfind("bad.png: it is damaged")) << "said twice";
  EXPECT_TRUE(fs::exists(output("masks", "c")));
  const Outcome strict = predict("--overwrite --strict");
  EXPECT_EQ(strict.code, 1);
  EXPECT_THAT(strict.text, Not(HasSubstr("predicted")));
}

TEST_F(Predict, NothingIsOverwrittenUnasked) {
  ASSERT_EQ(predict(masks()).code, 0);
  const Outcome again = predict(masks());
  EXPECT_EQ(again.code, 1);
  EXPECT_THAT(again.text, HasSubstr("holds a prediction already"));
  EXPECT_THAT(again.text, HasSubstr("--continue"));
  fs::remove(output("masks", "b"));
  const auto before = fs::last_write_time(output("masks", "a"));
  const Outcome rest = predict(masks() + "--continue");
  EXPECT_EQ(rest.code, 0) << rest.text;
  EXPECT_THAT(rest.text, HasSubstr("predicted 1 picture, 2 were finished before"));
  EXPECT_EQ(fs::last_write_time(output("masks", "a")), before);
  EXPECT_EQ(nlohmann::json::parse(read_file(root / "out/scores.json"))["pictures"].size(), 3U);
  const Outcome other = predict(masks() + "--continue --threshold 0.3");
  EXPECT_EQ(other.code, 1);
  EXPECT_THAT(other.text, HasSubstr("another threshold: 0.5 there, 0.3 now"));
  fs::copy(root / "masks", root / "other masks", fs::copy_options::recursive);
  const Outcome truth = predict("--device cpu --masks '" + (root / "other masks").string() + "' --continue");
  EXPECT_EQ(truth.code, 1) << truth.text;
  EXPECT_THAT(truth.text, AllOf(HasSubstr("was compared with the masks of " + (root / "masks").string() + ";"),
                                HasSubstr("now it is the masks of " + (root / "other masks").string())));
}

/// The searched threshold against a computation that does one thing after the other.
TEST_F(Predict, TheSearchedThresholdIsBestForAllPicturesTogether) {
  // Truths that want thresholds of their own: what the network calls sure in one, what it calls likely in another.
  const std::map<std::string, double> cut{{"a", 0.62}, {"b", 0.33}, {"c", 0.58}};
  for (const auto& [id, least] : cut) {
    const Image picture = read_picture(root / "images" / (id + ".png"));
    Image truth(picture.size(), 1);
    for (std::int64_t y = 0; y < picture.size().height; ++y)
      for (std::int64_t x = 0; x < picture.size().width; ++x)
        truth.view().row<std::uint8_t>(y)[x] =
            static_cast<double>(expected(picture.view().row<std::uint8_t>(y)[3 * x])) > least ? 255 : 0;
    save_png(root / "masks" / (id + ".png"), truth.view());
  }
  put_picture("d", {30, 30});
  fs::remove(root / "masks/d.png");  // known of nothing, cut like the others
  const Outcome outcome = predict(masks() + "--device cpu --threshold search");
  ASSERT_EQ(outcome.code, 0) << outcome.text;

  const auto dice_at = [&](const std::string& id, double threshold) {
    const Image picture = read_picture(root / "images" / (id + ".png")),
                truth = read_mask(root / "masks" / (id + ".png"));
    double both = 0, predicted = 0, real = 0;
    for (std::int64_t y = 0; y < picture.size().height; ++y)
      for (std::int64_t x = 0; x < picture.size().width; ++x) {
        const bool p = static_cast<double>(expected(picture.view().row<std::uint8_t>(y)[3 * x])) > threshold;
        const bool t = truth.view().row<std::uint8_t>(y)[x] != 0;
        both += p && t, predicted += p, real += t;
      }
    return (2 * both + 1e-8) / (predicted + real + 1e-8);
  };
  double best = -1, best_mean = -1;
  std::map<std::string, std::pair<double, double>> own;  // threshold, Dice
  for (int i = 0; i <= 10; ++i) {
    const double threshold = 0.2 + 0.05 * i;
    double mean = 0;
    for (const auto& [id, least] : cut) {
      const double dice = dice_at(id, threshold);
      mean += dice / static_cast<double>(cut.size());
      if (dice > own[id].second) own[id] = {threshold, dice};
    }
    if (mean > best_mean) best = threshold, best_mean = mean;
  }
  const auto scores = nlohmann::json::parse(read_file(root / "out/scores.json"));
  EXPECT_NEAR(scores["mean"]["dice"]["glomerulus"].get<double>(), best_mean, 1e-9);
  for (const auto& [id, least] : cut) {
    const auto& score = scores["pictures"][id];
    EXPECT_NEAR(score["threshold"]["glomerulus"].get<double>(), best, 1e-9) << id;
    EXPECT_NEAR(score["dice"]["glomerulus"].get<double>(), dice_at(id, best), 1e-9) << id;
    EXPECT_NEAR(score["own_best"]["glomerulus"]["threshold"].get<double>(), own[id].first, 1e-9) << id;
    EXPECT_NEAR(score["own_best"]["glomerulus"]["dice_reduced"].get<double>(), own[id].second, 1e-9) << id;
  }
  EXPECT_NE(own["a"].first, own["b"].first);
  for (const char* id : {"a", "b", "c", "d"}) {
    const Image picture = read_picture(root / "images" / (std::string(id) + ".png")),
                mask = read_mask(output("masks", id));
    for (std::int64_t x = 0; x < picture.size().width; ++x)
      ASSERT_EQ(mask.view().row<std::uint8_t>(3)[x] != 0,
                static_cast<double>(expected(picture.view().row<std::uint8_t>(3)[3 * x])) > best)
          << id << " " << x;
  }
  EXPECT_THAT(outcome.text, HasSubstr("own best"));
  // Nothing is done twice, and the figures stay.
  const Outcome again = predict(masks() + "--device cpu --threshold search --continue");
  EXPECT_EQ(again.code, 0) << again.text;
  EXPECT_EQ(nlohmann::json::parse(read_file(root / "out/scores.json")), scores);
}

/// Logits of two classes are 4 r and 2 r: above 0 the first is the likeliest, below it the background.
TEST_F(Predict, ExclusiveClassesShareOneAndTheLikeliestIsTaken) {
  const fs::path file = run / "experiment.resolved.toml";
  std::string text = read_file(file);
  const std::string one = "classes = [\"glomerulus\"]\n";
  text.replace(text.find(one), one.size(), "classes = [\"glomerulus\", \"other\"]\nexclusive = true\n");
  write_file_atomically(file, text + "[predict]\nthreshold = 0.5\n");  // as a run's file says what it need not
  at::Tensor weight = at::zeros({2, 3, 1, 1});
  weight[0][0].fill_(4), weight[1][0].fill_(2);
  write_tensors(run / "fold-0/checkpoints/step-7/weights.safetensors",
                {{"segmentation_head.0.weight", weight}, {"segmentation_head.0.bias", at::zeros({2})}});
  fs::create_directories(root / "masks/glomerulus");
  fs::create_directories(root / "masks/other");
  for (const char* id : {"a", "b", "c"}) {
    const std::string name = std::string(id) + ".png";
    fs::rename(root / "masks" / name, root / "masks/glomerulus" / name);
    save_png(root / "masks/other" / name, Image(read_mask(root / "masks/glomerulus" / name).size(), 1).view());
  }
  EXPECT_EQ(predict(masks() + "--device cpu --threshold 0.3").code, 2);
  const Outcome outcome = predict(masks() + "--device cpu");
  ASSERT_EQ(outcome.code, 0) << outcome.text;
  const auto scores = nlohmann::json::parse(read_file(root / "out/scores.json"));
  for (const char* name : {"glomerulus", "other"}) EXPECT_NEAR(scores["mean"]["dice"][name].get<double>(), 1, 1e-9);
  const Image picture = read_picture(root / "images/a.png"), first = read_picture(output("probabilities", "a")),
              second = read_picture(root / "out/probabilities/other/a.png");
  for (std::int64_t x = 0; x < picture.size().width; ++x) {
    const float r = (static_cast<float>(picture.view().row<std::uint8_t>(3)[3 * x]) - 127.5F) / 63.75F;
    const float sum = 1 + std::exp(4 * r) + std::exp(2 * r);
    EXPECT_NEAR(first.view().row<std::uint8_t>(3)[3 * x], 255 * std::exp(4 * r) / sum, 1) << x;
    EXPECT_NEAR(second.view().row<std::uint8_t>(3)[3 * x], 255 * std::exp(2 * r) / sum, 1) << x;
  }
}

TEST_F(Predict, WrongUseIsSaidBeforeAnyWork) {
  EXPECT_EQ(predict("--tta upside_down").code, 2);
  EXPECT_EQ(predict("--threshold 3").code, 2);
  EXPECT_EQ(predict("--whole --tile 32").code, 2);
  EXPECT_EQ(
      nephron("predict " + run.string() + " --images " + (root / "none").string() + " --out " + (root / "out").string())
          .code,
      2);
  const Outcome tile = predict("--tile 20");
  EXPECT_EQ(tile.code, 2);
  EXPECT_THAT(tile.text, HasSubstr("multiples of 16"));
  EXPECT_EQ(predict("", root / "no-such-run").code, 2);
  EXPECT_EQ(predict("", root / "images").code, 1) << "a folder that holds no run";
  const Outcome twice = predict("--tta identity,identity");
  EXPECT_EQ(twice.code, 2);
  EXPECT_THAT(twice.text, HasSubstr("names \"identity\" twice"));
  EXPECT_EQ(predict("--device gpu").code, 2);
  EXPECT_EQ(predict("--save tta").code, 2) << "one flip alone";
  EXPECT_FALSE(fs::exists(root / "out"));
}

TEST_F(Predict, TheLatestRunIsMeantByAllProcessesAndSaidOnce) {
  const fs::path later = make_run(2);
  for (const char* how : {"", "--jobs 2"}) {
    const Outcome outcome = predict(std::string("--device cpu --overwrite ") + how, run.parent_path());
    ASSERT_EQ(outcome.code, 0) << outcome.text;
    const std::string said = "taking the latest, " + later.filename().string();
    EXPECT_THAT(outcome.text, HasSubstr(said));
    EXPECT_EQ(outcome.text.find(said), outcome.text.rfind(said)) << outcome.text;
  }
}

TEST_F(Predict, ExportedSlidesCanBePredicted) {
  const fs::path slides = root / "slides";
  const Outcome exported = nephron("data export " + (run / "experiment.resolved.toml").string() +
                                   " --dataset synthetic --out " + slides.string());
  ASSERT_EQ(exported.code, 0) << exported.text;
  EXPECT_THAT(exported.text, HasSubstr("wrote 1 slide, 1 with a mask"));
  const auto pictures = list_pictures(slides / "images");
  ASSERT_EQ(pictures.size(), 1U);
  EXPECT_EQ(read_picture(pictures[0].file).size(), (Size{96, 64}));
  EXPECT_EQ(read_mask(find_picture(slides / "masks", pictures[0].id)).size(), (Size{96, 64}));
  const Outcome again =
      nephron("data export " + (run / "experiment.resolved.toml").string() + " --out " + slides.string());
  EXPECT_EQ(again.code, 1);
  EXPECT_THAT(again.text, HasSubstr("exists already"));
  const Outcome unknown = nephron("data export " + (run / "experiment.resolved.toml").string() +
                                  " --dataset synthetics --out " + slides.string());
  EXPECT_THAT(unknown.text, HasSubstr("Did you mean \"synthetic\""));
  const Outcome predicted = nephron("predict " + run.string() + " --images " + (slides / "images").string() +
                                    " --masks " + (slides / "masks").string() + " --out " + (root / "out").string());
  EXPECT_EQ(predicted.code, 0) << predicted.text;
}

/// A folder of slides as an experiment's dataset, and what is exported of them.
class Exported : public Predict {
 protected:
  void SetUp() override {
    Predict::SetUp();
    text_ = read_file(run / "experiment.resolved.toml");
  }
  /// "export" of the slides in a folder, for a shell.
  std::string command(const std::string& from, const std::string& to, const std::string& more = "",
                      const std::string& type = "image_folder") const {
    std::string text = text_;
    const std::size_t at = text.find("[[dataset]]");
    text.replace(at, text.find("[sampler]") - at,
                 "[[dataset]]\ntype = \"" + type + "\"\nroot = \"" + (root / from).string() + "\"\n");
    write_file_atomically(root / "export.toml", text);
    return NEPHRON_PROGRAM " data export " + (root / "export.toml").string() + " --out " + (root / to).string() + " " +
           more;
  }
  Outcome exported(const std::string& from, const std::string& to, const std::string& more = "") const {
    return said_by(command(from, to, more));
  }
  static long peak_megabytes_of_children() {
    rusage usage{};
    ::getrusage(RUSAGE_CHILDREN, &usage);
    return usage.ru_maxrss / 1024;
  }

 private:
  std::string text_;
};

TEST_F(Exported, SlidesOfManyBandsAreWhatTheyWere) {
  for (const char* part : {"images", "masks"}) fs::create_directories(root / "data" / part);
  cv::Mat picture(1300, 310, CV_8UC3), mask(1300, 310, CV_8UC1, cv::Scalar(0));
  cv::randu(picture, 0, 255);
  for (int y = 100; y < 1250; y += 90) cv::circle(mask, {(7 * y) % 310, y}, 40, cv::Scalar(255), cv::FILLED);
  cv::imwrite((root / "data/images/long.png").string(), picture);
  cv::imwrite((root / "data/masks/long.png").string(), mask);
  const auto read = [&](const std::string& file) { return cv::imread((root / file).string(), cv::IMREAD_UNCHANGED); };
  for (const int factor : {1, 3}) {
    const std::string by = "--factor " + std::to_string(factor) + " --overwrite";
    const Outcome outcome = exported("data", "files", by);
    ASSERT_EQ(outcome.code, 0) << outcome.text;
    EXPECT_THAT(outcome.text, HasSubstr("wrote 1 slide, 1 with a mask"));
    const Outcome stored = exported(
        "data", "stored",
        by + " --set data.factor=" + std::to_string(factor) + " --set data.store=" + (root / "store").string());
    ASSERT_EQ(stored.code, 0) << stored.text;
    cv::Mat wanted, wanted_mask;
    const cv::Size size(310 / factor, 1300 / factor);
    cv::resize(picture, wanted, size, 0, 0, cv::INTER_AREA);
    cv::resize(mask, wanted_mask, size, 0, 0, cv::INTER_NEAREST);
    for (const std::string out : {"files", "stored"}) {
      ASSERT_EQ(read(out + "/images/long.png").size(), size);
      EXPECT_EQ(cv::norm(read(out + "/images/long.png"), wanted, cv::NORM_INF), 0) << out << factor;
      EXPECT_EQ(cv::norm(read(out + "/masks/long.png"), wanted_mask, cv::NORM_INF), 0) << out << factor;
    }
  }
}

TEST_F(Exported, MemoryIsThatOfABandWhateverTheHeight) {
  long before = 0;
  for (const int height : {1000, 60'000}) {
    const std::string name = "of-" + std::to_string(height);
    fs::create_directories(root / name);
    cv::imwrite((root / name / "SAS_1.tif").string(), cv::Mat(height, 2000, CV_8UC3, cv::Scalar(90, 60, 180)),
                {cv::IMWRITE_TIFF_COMPRESSION, 5});
    fs::rename(root / name / "SAS_1.tif", root / name / "SAS_1.svs");
    const Outcome outcome = said_by(command(name, "out-" + name, "", "mendeley"));
    ASSERT_EQ(outcome.code, 0) << outcome.text;
    if (before > 0) {
      // What the reader holds of decoded tiles, 256 MiB at most. The whole slide would be 343 MiB more.
      EXPECT_LT(peak_megabytes_of_children(), before + 400);
    }
    before = peak_megabytes_of_children();
  }
}

TEST_F(Exported, WhatCannotBeReadOrWrittenIsNamedAndLeavesNothingHalfWritten) {
  fs::create_directories(root / "data/images");
  cv::imwrite((root / "data/images/a.png").string(), cv::Mat(700, 900, CV_8UC3, cv::Scalar(1, 2, 3)));
  std::ofstream(root / "data/images/b.png") << "no picture";
  const Outcome outcome = exported("data", "out");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.text, HasSubstr("b.png"));
  EXPECT_THAT(outcome.text, HasSubstr("wrote 1 slide"));
  EXPECT_FALSE(fs::exists(root / "out/images/b.png"));
  cv::Mat noise(700, 900, CV_8UC3);
  cv::randu(noise, 0, 255);
  cv::imwrite((root / "data/images/a.png").string(), noise);
  const Outcome full = said_by("ulimit -f 400; " + command("data", "full"));
  EXPECT_EQ(full.code, 1);
  EXPECT_THAT(full.text, HasSubstr("cannot write " + (root / "full/images/a.png").string() + ": File too large"));
  EXPECT_TRUE(fs::is_empty(root / "full/images"));
}

}  // namespace
}  // namespace nephron::host
