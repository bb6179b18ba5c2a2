// `nephron predict` with a network of convolutions, which sees what lies around a pixel: the maps of flips, and
// processes that share the pictures.
#include <csignal>
#include <limits>
#include <map>
#include <thread>

#include <nlohmann/json.hpp>

#include <tests/integration/train/train_fixture.hpp>
#include <tests/support/pixel_bytes.hpp>

namespace nephron::host {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

class TrainedPredict : public Train {
 protected:
  void SetUp() override {
    Train::SetUp();
    run(train_command({"--set", "train.epochs=1", "--set", "classes=[\"disc\", \"other\"]", "--set",
                       "dataset.0.values={disc=255, other=7}"}),
        0);
  }
  std::vector<std::string> command(const std::string& out, std::vector<std::string> more = {}) const {
    std::vector<std::string> words{"predict",  only_run().folder().string(),
                                   "--images", (*data_ / "data/images").string(),
                                   "--plugin", NEPHRON_TINY,
                                   "--out",    (root_ / out).string()};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  /// Every file but what tells of its command and its process.
  std::map<std::string, std::string> files_of(const std::string& out) const {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(root_ / out)) {
      const std::string name = fs::relative(entry.path(), root_ / out).string();
      if (entry.is_regular_file() && name != "predict.json" && name != ".lock") files[name] = read_file(entry.path());
    }
    return files;
  }
  json scores(const std::string& out) const { return json::parse(read_file(root_ / out / "scores.json")); }
};

TEST_F(TrainedPredict, DamagedWeightsAreNoPrediction) {
  const fs::path weights = fs::canonical(only_run().fold(0).weights("best"));
  const std::vector<std::string> validate{
      "validate", only_run().folder().string(), "--plugin", NEPHRON_TINY, "--device", "cpu", "--overwrite"};
  const auto predict = command("out", {"--device", "cpu", "--overwrite"});
  spoil_numbers(weights);
  for (const auto& words : {predict, validate})
    EXPECT_THAT(run(words, 1), AllOf(HasSubstr(weights.string()), HasSubstr("it is not the file that training wrote")));
  // Of an earlier version, which kept no digests: what they say is no number.
  TensorMap tensors = read_tensors(weights);
  for (auto& [name, tensor] : tensors)
    if (name == "segmentation_head.0.bias") tensor.fill_(std::numeric_limits<float>::quiet_NaN());
  write_tensors(weights, tensors, {{"format", "pt"}});
  fs::remove(weights.parent_path() / "checkpoint.sha256");
  for (const auto& words : {predict, validate})
    EXPECT_THAT(run(words, 1), AllOf(HasSubstr("the output of " + weights.string() + " is not finite"),
                                     HasSubstr("for the tile at (0, 0) of \"s")));
  EXPECT_FALSE(fs::exists(root_ / "out/probabilities/disc/s0.png"));
}

TEST_F(TrainedPredict, MasksAtTheThresholdsThatTheValidationFound) {
  const std::vector<std::string> validated{"--device", "cpu", "--save", "masks", "--threshold", "validated"};
  const auto refused = [&](const std::string& out, const char* why) {
    EXPECT_THAT(run(command(out, validated), 2), HasSubstr(why));
    EXPECT_FALSE(fs::exists(root_ / out / "masks"));
  };
  refused("early", "was not validated");
  run({"validate", only_run().folder().string(), "--plugin", NEPHRON_TINY, "--device", "cpu"}, 0);
  const fs::path file = only_run().folder() / "validation" / "scores.json";
  const json found = json::parse(read_file(file));
  json other = found;
  const auto put = [&](const json& text) { std::ofstream(file) << text; };
  other["dice_by_threshold"]["disc"]["best_threshold"] = 0.35;
  other["dice_by_threshold"]["other"]["best_threshold"] = 0.6;
  put(other);
  run(command("validated", validated), 0);
  EXPECT_EQ(json::parse(read_file(root_ / "validated" / "predict.json")).at("settings").at("threshold"),
            json({0.35, 0.6}));
  run(command("shared",
              [&] {
                auto words = validated;
                words.insert(words.end(), {"--jobs", "2"});
                return words;
              }()),
      0);
  const auto masks = [&](const std::string& out, const std::string& of_class) {
    std::map<std::string, std::string> files;
    for (const auto& [name, bytes] : files_of(out))
      if (name.starts_with("masks/" + of_class)) files[name] = pixel_bytes(root_ / out / name);
    return files;
  };
  for (const auto& [name, threshold] : {std::pair<std::string, std::string>{"disc", "0.35"}, {"other", "0.6"}}) {
    run(command("at" + threshold, {"--device", "cpu", "--save", "masks", "--threshold", threshold}), 0);
    EXPECT_GT(masks("validated", name).size(), 1U);
    EXPECT_TRUE(masks("validated", name) == masks("at" + threshold, name)) << name;
    EXPECT_TRUE(masks("validated", name) == masks("shared", name)) << name;
  }
  EXPECT_FALSE(masks("at0.35", "disc") == masks("at0.6", "disc")) << "the test says little";

  json broken = found;
  broken["complete"] = false;
  put(broken);
  refused("cut", "was cut short");
  broken = found, broken["weights"]["0"] = "step-1";
  put(broken);
  refused("since", "was trained further since it was validated at step-1");
  broken = found, broken["weights"] = json::object();
  put(broken);
  refused("none", "fold 0 was not validated");
  broken = found, broken["dice_by_threshold"].erase("other");
  put(broken);
  refused("class", "says anything of the class \"other\"");
  broken = found, broken["dice_by_threshold"]["disc"]["best_threshold"] = 7;
  put(broken);
  EXPECT_THAT(run(command("damaged", validated), 1), HasSubstr("scores.json"));
  put(found);
  EXPECT_THAT(run(command("joined", {"--with", only_run().folder().string(), "--threshold", "validated"}), 2),
              HasSubstr("what one run's validation found"));
}

TEST_F(TrainedPredict, MapsOfFlipsAreThoseOfEachFlipAlone) {
  const std::vector<std::string> flips{"identity", "flip_x", "flip_y", "flip_xy"};
  // Few and many pictures a pass, and flips that go through the network apart.
  for (const char* tile : {"32", "96"}) {
    const std::string all = std::string("all") + tile, joined = std::string("joined") + tile;
    const std::string tta = "identity,flip_x,flip_y,flip_xy";
    run(command(all, {"--device", "cpu", "--tile", tile, "--tta", tta, "--save", "maps,tta"}), 0);
    run(command(joined, {"--device", "cpu", "--tile", tile, "--tta", tta, "--save", "maps"}), 0);
    std::map<std::string, std::string> is = files_of(all);
    for (const auto& [name, bytes] : files_of(joined))
      if (name.starts_with("probabilities/")) {
        EXPECT_EQ(is.at(name) == bytes, true) << name << " changes with --save tta";
      }
    for (const std::string& flip : flips) {
      const std::string alone = flip + tile;
      run(command(alone, {"--device", "cpu", "--tile", tile, "--tta", flip, "--save", "maps"}), 0);
      std::size_t maps = 0;
      for (const auto& [name, bytes] : files_of(alone)) {
        if (!name.starts_with("probabilities/")) continue;
        ++maps;
        // What goes through a network together may change a last bit.
        const auto map = [&](const fs::path& file) { return cv::imread(file.string(), cv::IMREAD_UNCHANGED); };
        const std::string own = "tta/" + flip + name.substr(name.find('/'));
        EXPECT_LE(cv::norm(map(root_ / all / own), map(root_ / alone / name), cv::NORM_INF), 1) << own;
      }
      EXPECT_EQ(maps, 12U) << "six pictures, two classes";
    }
    EXPECT_GT(
        cv::norm(cv::imread((root_ / all / "tta/flip_x/disc/s0.png").string(), cv::IMREAD_UNCHANGED),
                 cv::imread((root_ / all / "tta/identity/disc/s0.png").string(), cv::IMREAD_UNCHANGED), cv::NORM_INF),
        1)
        << "equal flips prove nothing";
  }
  EXPECT_THAT(run(command("no", {"--device", "cpu", "--tta", "flip_x", "--save", "tta"}), 2),
              HasSubstr("--tta identity"));
}

TEST_F(TrainedPredict, ProcessesTogetherSayWhatOneSays) {
  const std::vector<std::string> how{
      "--save",    "maps,masks,rle,submission,geojson,coco,objects", "--masks", (*data_ / "data/masks").string(),
      "--metrics", "dice,auprc,boundary,average_precision",          "--set",   "boundary.unit=px"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), how.begin(), how.end());
    return more;
  };
  run(command("one", with({"--device", "cpu"})), 0);
  const auto expected = files_of("one");
  const std::string said = run(command("two", with({"--device", "cpu", "--jobs", "2"})), 0);
  EXPECT_THAT(said, HasSubstr("predicted 6 pictures"));
  run(command("three", with({"--devices", "cpu,cpu,cpu"})), 0);
  for (const char* out : {"two", "three"}) {
    const auto is = files_of(out);
    for (const auto& [name, bytes] : expected) {
      ASSERT_TRUE(is.contains(name)) << out << " " << name;
      EXPECT_EQ(is.at(name) == bytes, true) << out << " " << name;
    }
    EXPECT_EQ(is.size(), expected.size());
  }
  EXPECT_THAT(run(command("no", {"--jobs", "2", "--tile", "33"}), 2), HasSubstr("multiples of"));
  EXPECT_FALSE(fs::exists(root_ / "no/predict.json")) << "said before anything is written";
  EXPECT_THAT(run(command("no", {"--jobs", "2", "--devices", "cpu"}), 2), HasSubstr("--jobs"));
}

TEST_F(TrainedPredict, APictureThatCannotBeReadCostsItselfWhoeverReadsIt) {
  fs::create_directories(root_ / "some");
  for (const char* name : {"s0.png", "s1.png", "s2.png"})
    fs::copy(*data_ / "data/images" / name, root_ / "some" / name);
  std::ofstream(root_ / "some/bad.png") << "no picture";
  std::vector<std::string> words = command("out", {"--device", "cpu", "--jobs", "2"});
  words[3] = (root_ / "some").string();
  const std::string said = run(words, 1);
  EXPECT_THAT(said, AllOf(HasSubstr("\"bad\" is left out"), HasSubstr("predicted 3 pictures, 1 failed")));
  EXPECT_TRUE(scores("out").at("failures").contains("bad"));
  words.insert(words.end(), {"--overwrite", "--strict"});
  const std::string strict = run(words, 1);
  EXPECT_THAT(strict, HasSubstr("bad.png"));
}

/// Pictures that take a while.
class SharedPictures : public TrainedPredict {
 protected:
  void SetUp() override {
    TrainedPredict::SetUp();
    fs::create_directories(root_ / "many");
    cv::Mat large;
    cv::resize(cv::imread((*data_ / "data/images/s0.png").string()), large, {700, 700});
    for (int i = 0; i < 12; ++i) cv::imwrite((root_ / "many" / ("m" + std::to_string(i) + ".png")).string(), large);
  }
  std::vector<std::string> shared(const std::string& out, std::vector<std::string> more = {}) const {
    std::vector<std::string> words = command(out, {"--device", "cpu", "--tile", "32", "--overlap", "3"});
    words[3] = (root_ / "many").string();
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  std::size_t finished(const std::string& out) const {
    std::error_code none;
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(root_ / out / "pictures", none), fs::directory_iterator()));
  }
};

TEST_F(SharedPictures, CtrlCReachesAllAndGoingOnEndsInTheSame) {
  run(shared("one"), 0);
  {
    Program program(shared("out", {"--jobs", "2"}), output());
    while (!program.done() && finished("out") < 2) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    program.signal(SIGINT);
    ASSERT_EQ(program.wait(), 130) << program.output();
    EXPECT_THAT(program.output(),
                HasSubstr("of 12 pictures are finished; to go on, give the same command with --continue"));
  }
  ASSERT_LT(finished("out"), 12U) << "it ended before the signal came";
  run(shared("out", {"--jobs", "2", "--continue"}), 0);
  EXPECT_EQ(files_of("out") == files_of("one"), true);
}

TEST_F(SharedPictures, AProcessThatDiesIsNamedAndTheRestGoesOn) {
  for (const bool strict : {false, true}) {
    const std::string out = strict ? "strict" : "out";
    std::vector<std::string> more{"--jobs", "2"};
    if (strict) more.push_back("--strict");
    Program program(shared(out, more), output());
    while (!program.done() && finished(out) < 2) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    const std::vector<int> workers = children_of(program.pid());
    ASSERT_EQ(workers.size(), 2U);
    ::kill(workers.front(), SIGKILL);
    EXPECT_EQ(program.wait(), 1) << program.output();
    EXPECT_THAT(program.output(), AllOf(HasSubstr("process "), HasSubstr("(cpu), which predicted it, ended"),
                                        HasSubstr("killed by signal 9")));
    if (strict) {
      EXPECT_LT(finished(out), 11U) << "it went on";
      continue;
    }
    EXPECT_EQ(scores(out).at("failures").size(), 1U);
    EXPECT_GE(finished(out), 11U) << "it may have died between the last file and the word of it";
  }
  run(shared("out", {"--jobs", "2", "--continue"}), 0);
  run(shared("one"), 0);
  EXPECT_EQ(files_of("out") == files_of("one"), true);
}

}  // namespace
}  // namespace nephron::host
