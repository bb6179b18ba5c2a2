// Which networks `nephron predict` takes: runs, folds, single checkpoints, experiments with weights of any origin; and
// how their tiles are joined.
#include <chrono>
#include <functional>
#include <thread>

#include <opencv2/imgcodecs.hpp>

#include <tests/integration/predict/predict_fixture.hpp>
#include <tests/support/program.hpp>

namespace nephron::host {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class NamedNetworks : public Predict {
 protected:
  nlohmann::json settings() const { return nlohmann::json::parse(read_file(root / "out/predict.json"))["settings"]; }
  void put_weights(const fs::path& file, double red) const {
    fs::create_directories(file.parent_path());
    at::Tensor weight = at::zeros({1, 3, 1, 1});
    weight.select(1, 0).fill_(red);
    write_tensors(file, {{"segmentation_head.0.weight", weight}, {"segmentation_head.0.bias", at::zeros({1})}});
  }
  void expect_opposite() const {
    const Image picture = read_picture(root / "images/a.png"), map = read_picture(output("probabilities", "a"));
    EXPECT_NEAR(map.view().row<std::uint8_t>(7)[9], 255 - 255 * expected(picture.view().row<std::uint8_t>(7)[9]), 1.01);
  }
};

TEST_F(NamedNetworks, ACheckpointIsTakenAlone) {
  run = make_run(1, 2);
  const fs::path fold = run / "fold-0/checkpoints";
  put_weights(fold / "step-3/weights.safetensors", -4);  // not the best, nor the last
  put_weights(fold / "step-3/average.safetensors", 4);
  const auto predicted = [&](const fs::path& which, const std::string& more = "") {
    const Outcome outcome = predict("--device cpu --overwrite " + more, which);
    ASSERT_EQ(outcome.code, 0) << which << outcome.text;
  };
  for (const char* jobs : {"", "--jobs 2"})
    for (const char* name : {"step-3", "step-3/", "step-3/weights.safetensors"}) {
      predicted(fold / name, jobs);
      expect_opposite();
      EXPECT_EQ(settings()["folds"], (std::vector<int>{0}));
      EXPECT_EQ(settings()["checkpoint"], "step-3");
      EXPECT_EQ(settings()["run"], run.string());
    }
  predicted(fold / "step-3/average.safetensors");
  EXPECT_LE(worst("a"), 1);
  predicted(fold / "last");
  EXPECT_LE(worst("a"), 1);
  EXPECT_EQ(settings()["checkpoint"], "step-7") << "the link moves on";
  predicted(fold / "step-3", "--with " + (run / "fold-1").string());
  expect_opposite();
  for (const char* more : {"--fold 1", "--fold all", "--checkpoint last"}) {
    const Outcome outcome = predict(std::string("--overwrite ") + more, fold / "step-3");
    EXPECT_EQ(outcome.code, 2) << more;
    EXPECT_THAT(outcome.text, HasSubstr("--fold and --checkpoint choose among those of a run"));
  }
  fs::create_directories(fold / "step-9");
  EXPECT_THAT(predict("--overwrite", fold / "step-9").text, HasSubstr("holds no weights.safetensors"));
}

TEST_F(NamedNetworks, StatisticsThatNormaliseSlidesCountByWhatTheirFileHolds) {
  put_weights(root / "elsewhere/net.safetensors", 4);
  const auto statistics = [&](const char* name, int mean) {
    std::ofstream(root / name) << R"({"slides": {"target": {"lab_mean": [)" << mean
                               << R"(, 20, -10], "lab_deviation": [10, 5, 4]}}})";
  };
  const auto predicted = [&](const char* name, const std::string& more) {
    std::ofstream(root / "model.toml") << "extends = \"" << (run / "experiment.resolved.toml").string()
                                       << "\"\nmodel.weights = \"elsewhere/net.safetensors\"\n[[augmentation]]\n"
                                       << "type = \"normalise\"\nof = [{ type = \"reinhard\", share = [1, 1], "
                                       << "target = \"target\", statistics = \"" << name << "\" }]\n";
    return predict("--device cpu " + more, root / "model.toml");
  };
  statistics("stains.json", 60), statistics("copy.json", 60), statistics("other.json", 70);
  const Outcome first = predicted("stains.json", "");
  ASSERT_EQ(first.code, 0) << first.text;
  EXPECT_EQ(predicted("copy.json", "--continue").code, 0);
  EXPECT_THAT(predicted("other.json", "--continue").text, HasSubstr("another network_sha256"));
  statistics("stains.json", 70);
  EXPECT_THAT(predicted("stains.json", "--continue").text, HasSubstr("another network_sha256"));
}

// While the run is trained: its best weights move on, or what they are called gets other bytes.
TEST_F(NamedNetworks, AProcessThatIsStartedLaterPredictsByWhatWasChosen) {
  const fs::path checkpoints = run / "fold-0/checkpoints", chosen = checkpoints / "step-7/weights.safetensors";
  put_weights(checkpoints / "step-9/weights.safetensors", -4);
  fs::remove_all(root / "images");
  fs::create_directories(root / "images");
  for (int i = 0; i < 10; ++i) put_picture("m" + std::to_string(i), {900, 900});
  // A process is killed once both have begun, and another one takes its place.
  const auto predicted = [&](const std::function<void()>& meanwhile) {
    fs::remove_all(root / "out");
    StartedProgram program(
        {NEPHRON_PROGRAM, "predict", run.string(), "--images", (root / "images").string(), "--out",
         (root / "out").string(), "--device", "cpu", "--tile", "32", "--overlap", "4", "--jobs", "2"},
        root / "output.txt");
    while (!program.done() && !fs::exists(root / "out/predict.json"))
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    meanwhile();
    const std::vector<int> children = children_of(program.pid());
    EXPECT_EQ(children.size(), 2U) << program.output();
    if (!children.empty()) ::kill(children.front(), SIGKILL);
    EXPECT_EQ(program.wait(), 1) << "the picture that it was at is lost";
    return program.output();
  };
  const std::string moved = predicted([&] {
    for (const char* link : {"best", "last"}) {
      fs::remove(checkpoints / link);
      fs::create_directory_symlink("step-9", checkpoints / link);
    }
  });
  EXPECT_THAT(moved, HasSubstr("predicted 9 pictures, 1 failed"));
  for (int i = 0; i < 10; ++i) {
    const std::string id = "m" + std::to_string(i);
    if (!fs::exists(output("probabilities", id))) continue;
    EXPECT_LE(worst(id), 1) << id << " is by the weights that were the best when it began";
  }
  for (const char* link : {"best", "last"}) {
    fs::remove(checkpoints / link);
    fs::create_directory_symlink("step-7", checkpoints / link);
  }
  EXPECT_THAT(predicted([&] { put_weights(chosen, -4); }), HasSubstr("began with another weights_sha256"));
  put_weights(chosen, 4);
  EXPECT_THAT(predicted([&] { fs::remove(chosen); }), HasSubstr("which this prediction began with, is gone"));
}

TEST_F(NamedNetworks, AnExperimentSaysTheModelOfWeightsOfAnyOrigin) {
  put_weights(root / "elsewhere/net.safetensors", -4);
  std::ofstream(root / "model.toml") << "extends = \"" << (run / "experiment.resolved.toml").string()
                                     << "\"\nmodel.weights = \"elsewhere/net.safetensors\"\n";
  for (const char* jobs : {"", "--jobs 2"}) {
    const Outcome outcome = predict(std::string("--device cpu --overwrite ") + jobs + masks(), root / "model.toml");
    ASSERT_EQ(outcome.code, 0) << outcome.text;
    expect_opposite();
    EXPECT_EQ(settings()["folds"], nlohmann::json::array());
    EXPECT_EQ(settings()["weights"][0], (root / "elsewhere/net.safetensors").string());
    EXPECT_FALSE(nlohmann::json::parse(read_file(root / "out/predict.json")).contains("trained_on")) << "nobody knows";
  }
  EXPECT_EQ(predict("--device cpu --continue" + masks(), root / "model.toml").code, 0);
  const auto go_on_with = [&](const std::string& more) {
    std::ofstream(root / "model.toml") << "extends = \"" << (run / "experiment.resolved.toml").string()
                                       << "\"\nmodel.weights = \"elsewhere/net.safetensors\"\n"
                                       << more;
    return predict("--device cpu --continue" + masks(), root / "model.toml");
  };
  for (const char* other : {"data.mean = [0.5, 0.5, 0.4]\n", "data.std = [0.25, 0.25, 0.3]\n"}) {
    const Outcome refused = go_on_with(other);
    EXPECT_EQ(refused.code, 1) << other << "the same weights answer otherwise";
    EXPECT_THAT(refused.text, HasSubstr("another network_sha256")) << other;
  }
  EXPECT_EQ(go_on_with("exclusive = false\nmodel.in_channels = 3\n").code, 0) << "written out, it means the same";
  const Outcome page = nephron("report " + run.string() + " --predictions " + (root / "out").string() + " --out " +
                               (root / "page.html").string());
  EXPECT_EQ(page.code, 0) << page.text;
  EXPECT_EQ(predict("--device cpu --overwrite --with " + run.string(), root / "model.toml").code, 0);
  const Image both = read_picture(output("probabilities", "a"));
  EXPECT_NEAR(both.view().row<std::uint8_t>(7)[9], 127.5, 1);

  EXPECT_EQ(predict("--overwrite --fold 0", root / "model.toml").code, 2);
  const Outcome bare = predict("--overwrite", run / "experiment.resolved.toml");
  EXPECT_EQ(bare.code, 2);
  EXPECT_THAT(bare.text, HasSubstr("experiment.resolved.toml names no weights of its model"));
  const Outcome weights = predict("--overwrite", root / "elsewhere/net.safetensors");
  EXPECT_EQ(weights.code, 2);
  EXPECT_THAT(weights.text, AllOf(HasSubstr("is neither a run, nor a checkpoint of one, nor an experiment"),
                                  HasSubstr("model.weights of an experiment file")));
  put_weights(root / "elsewhere/net.safetensors", 4);
  std::ofstream(root / "elsewhere/net.safetensors", std::ios::trunc) << "no weights";
  EXPECT_THAT(predict("--overwrite", root / "model.toml").text, HasSubstr("net.safetensors"));
}

// The network looks at single pixels: however tiles are joined, its answer is its answer.
TEST_F(NamedNetworks, TilesAreJoinedByABellToo) {
  const Outcome outcome = predict("--device cpu --tile 16 --overlap 3 --blending gaussian" + masks());
  ASSERT_EQ(outcome.code, 0) << outcome.text;
  for (const char* id : {"a", "b", "c"}) EXPECT_LE(worst(id), 1) << id;
  EXPECT_EQ(settings()["blending"], "gaussian");
  EXPECT_THAT(predict("--device cpu --tile 16 --overlap 3 --continue" + masks()).text, HasSubstr("another blending"));
  EXPECT_EQ(predict("--overwrite --blending gaussian --compat reference").code, 2);
  ASSERT_EQ(predict("--overwrite --device cpu --tile 16 --overlap 1").code, 0) << "none overlap";
  for (const char* id : {"a", "b", "c"}) EXPECT_LE(worst(id), 1) << id;
}

}  // namespace
}  // namespace nephron::host
