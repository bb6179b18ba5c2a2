// What `nephron train` says of held-out slides is what `nephron predict` says of them.
#include <nlohmann/json.hpp>

#include <host/metrics/dice.hpp>
#include <tests/integration/train/train_fixture.hpp>

namespace nephron::host {
namespace {

using testing::HasSubstr;
using testing::Not;

class TrainValidation : public Train {
 protected:
  static nlohmann::json done(const RunFolder& run) { return nlohmann::json::parse(read_file(run.fold(0).done())); }

  /// Predicts what fold 0 holds out with its last weights; returns the pictures' ids.
  std::vector<std::string> predict_held_out(const fs::path& data, const std::vector<std::string>& more) {
    const RunFolder trained = only_run();
    std::vector<std::string> ids;
    fs::create_directories(root_ / "held");
    const auto slides = nlohmann::json::parse(read_file(trained.fold(0).slides()));
    for (const auto& slide : slides.at("held_out")) {
      ids.push_back(slide.at("id"));
      fs::copy(data / "images" / (ids.back() + ".png"), root_ / "held" / (ids.back() + ".png"));
    }
    std::vector<std::string> command{"predict",      trained.fold(0).folder.string(),
                                     "--images",     (root_ / "held").string(),
                                     "--masks",      (data / "masks").string(),
                                     "--out",        (root_ / "out").string(),
                                     "--checkpoint", "last",
                                     "--device",     "cpu"};
    command.insert(command.end(), more.begin(), more.end());
    run(command, 0);
    return ids;
  }
};

// One step that leaves weights beyond all measure, of which no loss tells any more.
TEST_F(TrainValidation, AnOutputThatIsNoNumberIsAnErrorAndNoDice) {
  write_experiment("", "{ type = \"bce\", weight = 1e30 }");
  for (const char* how : {"slides", "tiles"}) {
    fs::remove_all(root_ / "runs");
    const std::string said =
        run(train_command({"--set", std::string("validation.how=\"") + how + "\"", "--set",
                           "train.optimizer={ type = \"sgd\", lr = 1000 }", "--set", "train.steps_per_epoch=1"}),
            1);
    EXPECT_THAT(said, HasSubstr("is not finite (NaN)")) << how;
    EXPECT_THAT(said, HasSubstr(std::string(how) == "tiles" ? "in the validation of epoch 1 of fold 0" : "\"s"));
  }
}

TEST_F(TrainValidation, TheDiceOfTheLastWeightsIsThatOfTheirPrediction) {
  run(train_command(), 0);
  const auto figures = done(only_run());
  EXPECT_EQ(figures.at("validated_on"), "slides");
  const fs::path data = *data_ / "data";
  Overlap sum;
  const std::vector<std::string> ids = predict_held_out(data, {});
  ASSERT_EQ(ids.size(), 2U);
  for (const std::string& id : ids) {
    const cv::Mat predicted = cv::imread((root_ / "out/masks/disc" / (id + ".png")).string(), cv::IMREAD_GRAYSCALE),
                  truth = cv::imread((data / "masks" / (id + ".png")).string(), cv::IMREAD_GRAYSCALE);
    ASSERT_EQ(predicted.size(), truth.size());
    sum += overlap_of({predicted.data, predicted.total()}, {truth.data, truth.total()});
  }
  EXPECT_GT(sum.dice(), 0.3) << "a network that finds nothing proves nothing";
  EXPECT_NEAR(figures.at("last_dice").get<double>(), sum.dice(), 1e-6);
  EXPECT_NEAR(figures.at("dice_by_class").at("disc").at("last").get<double>(), sum.dice(), 1e-6);
}

// Exclusive classes, pixels that nobody knows, a reduction, and one slide, whose own Dice predict tells.
TEST_F(TrainValidation, TheSameOfExclusiveClassesAndIgnoredPixels) {
  const fs::path data = root_ / "data";
  fs::copy(*data_ / "data", data, fs::copy_options::recursive);
  for (int i = 0; i < 6; ++i) {
    const std::string file = (data / "masks" / ("s" + std::to_string(i) + ".png")).string();
    cv::Mat mask = cv::imread(file, cv::IMREAD_GRAYSCALE);
    cv::rectangle(mask, cv::Rect(0, 0, 96, 14), cv::Scalar(7), cv::FILLED);
    cv::rectangle(mask, cv::Rect(5, 40, 30, 30), cv::Scalar(9), cv::FILLED);
    cv::imwrite(file, mask);
  }
  run(train_command({"--set", R"(classes=["disc", "other"])", "--set", "exclusive=true", "--set",
                     "dataset.0.values={disc=255, other=7, unsure=9}", "--set", R"(dataset.0.ignore=["unsure"])",
                     "--set", "dataset.0.root=\"" + data.string() + "\"", "--set", "data.factor=2", "--set",
                     "data.folds.count=6"}),
      0);
  const std::vector<std::string> ids = predict_held_out(data, {"--masks-as", "image_folder"});
  ASSERT_EQ(ids.size(), 1U);
  const auto scores = nlohmann::json::parse(read_file(root_ / "out/scores.json"));
  double best = 0;
  for (const char* name : {"disc", "other"}) {
    const double said = scores.at("pictures").at(ids[0]).at("dice_reduced").at(name);
    EXPECT_NEAR(done(only_run()).at("dice_by_class").at(name).at("last").get<double>(), said, 1e-6) << name;
    best = std::max(best, said);
  }
  EXPECT_GT(best, 0.3) << "a network that finds nothing proves nothing";
}

// Slides whose colours are normalised: training, its validation, `validate` and `predict` see the same pixels.
TEST_F(TrainValidation, TheSameOfNormalisedSlides) {
  const fs::path data = root_ / "data";
  fs::copy(*data_ / "data", data, fs::copy_options::recursive);
  for (int i = 0; i < 6; ++i) {  // flat colours have no deviation that could be another one
    const std::string file = (data / "images" / ("s" + std::to_string(i) + ".png")).string();
    cv::Mat image = cv::imread(file), noise(image.size(), image.type());
    cv::theRNG().state = static_cast<std::uint64_t>(i) + 1;
    cv::randu(noise, cv::Scalar::all(0), cv::Scalar::all(40));
    cv::imwrite(file, image - noise);
  }
  const auto with = [&](const std::string& chain, std::vector<std::string> more = {}) {
    more.insert(more.end(), {"--set", "dataset.0.root=\"" + data.string() + "\"", "--set", "data.folds.count=6",
                             "--set", "augmentation=" + chain});
    return train_command(more);
  };
  const std::string target = "to={mean=[60, 30, -20], deviation=[20, 10, 8]}",
                    fixed = "[{type=\"normalise\", of=[{type=\"reinhard\", share=[1, 1], " + target + "}]}]";
  run(with(fixed), 0);
  const RunFolder trained = only_run();
  const double last = done(trained).at("last_dice");
  EXPECT_GT(last, 0.3) << "a network that finds nothing proves nothing";
  ASSERT_EQ(predict_held_out(data, {"--masks-as", "image_folder"}).size(), 1U);
  const auto scores = nlohmann::json::parse(read_file(root_ / "out/scores.json"));
  EXPECT_NEAR(scores.at("pictures").begin().value().at("dice_reduced").at("disc").get<double>(), last, 1e-6);
  run({"validate", trained.fold(0).folder.string(), "--checkpoint", "last", "--device", "cpu", "--out",
       (root_ / "validated").string()},
      0);
  const auto validated = nlohmann::json::parse(read_file(root_ / "validated/scores.json"));
  EXPECT_NEAR(validated.at("dice_by_threshold").at("disc").at("at_0.5").at("mean").get<double>(), last, 1e-6);
  EXPECT_THAT(run({"predict", trained.folder().string(), "--images", (root_ / "held").string(), "--out",
                   (root_ / "full").string(), "--full-size", "--device", "cpu"},
                  2),
              HasSubstr("normalises slides as they are when they are reduced"));
  // Pixels of the store are the slide's own, and are normalised as they are read.
  const auto first = losses(trained);
  fs::remove_all(root_ / "runs");
  run(with(fixed, {"--set", "data.store=\"" + (root_ / "store").string() + "\""}), 0);
  EXPECT_EQ(losses(only_run()), first);
  fs::remove_all(root_ / "runs");
  run(with("[]"), 0);
  EXPECT_NE(losses(only_run()), first) << "it changes something";
  fs::remove_all(root_ / "runs");
  EXPECT_THAT(run(with("[{type=\"normalise\", of=[{type=\"reinhard\", " + target + "}]}]"), 1),
              HasSubstr("give one target and one strength"));
  EXPECT_TRUE(runs().empty());
}

TEST_F(TrainValidation, TilesAreTheReferencesMeasure) {
  run(train_command({"--set", "train.epochs=1"}), 0);
  const auto slides = done(only_run());
  fs::remove_all(root_ / "runs");
  const std::string said = run(train_command({"--set", "train.epochs=1", "--set", "validation.how=tiles"}), 0);
  EXPECT_THAT(said, Not(HasSubstr("whole slide")));
  const auto tiles = done(only_run());
  EXPECT_EQ(tiles.at("validated_on"), "tiles");
  EXPECT_NE(tiles.at("last_dice"), slides.at("last_dice"));
  EXPECT_THAT(run(train_command({"--set", "validation.how=halves"}), 2), HasSubstr("slides"));
}

// Windows of a sampler that draws them: the same in every epoch, or epochs could not be compared.
TEST_F(TrainValidation, DrawnTilesAreThoseOfTheSeed) {
  const auto losses_of = [&](const char* seed) {
    fs::remove_all(root_ / "runs");
    run(train_command({"--set", "validation={how=\"tiles\", sampler={type=\"uniform\"}}", "--set",
                       "train.optimizer.lr=0", "--set", std::string("seed=") + seed}),
        0);
    std::vector<double> out;
    for (const auto& [step, values] : read_metrics(only_run().fold(0).metrics()))
      for (const auto& [name, value] : values)
        if (name == "val_loss") out.push_back(value);
    return out;
  };
  const std::vector<double> found = losses_of("7");
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found, std::vector<double>(3, found[0])) << "nothing is learnt";
  EXPECT_NE(losses_of("8"), found);
}

TEST_F(TrainValidation, AveragedWeightsAreMeasuredAlike) {
  write_experiment("average = { type = \"ema\", decay = 0.0 }\n");
  run(train_command({"--set", "train.epochs=2"}), 0);
  const auto figures = done(only_run());  // of a decay of 0 the average is the last
  EXPECT_EQ(figures.at("average_dice"), figures.at("last_dice"));
  EXPECT_EQ(figures.at("dice_by_class").at("disc").at("average"), figures.at("dice_by_class").at("disc").at("last"));
}

}  // namespace
}  // namespace nephron::host
