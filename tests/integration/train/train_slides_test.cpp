// `nephron train` where slides change under a run, or fail.
#include <thread>

#include <nlohmann/json.hpp>

#include <tests/integration/train/train_fixture.hpp>

namespace nephron::host {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// Slides of the test's own.
class TrainSlides : public Train {
 protected:
  void SetUp() override {
    Train::SetUp();
    fs::copy(*data_ / "data", root_ / "data", fs::copy_options::recursive);
    std::string text = read_file(root_ / "tiny.toml");
    text.replace(text.find("../data"), 7, "data");
    write_file_atomically(root_ / "tiny.toml", text);
  }
  void spoil(const std::string& id) const { std::ofstream(root_ / "data/images" / (id + ".png")) << "no picture"; }
  std::vector<std::string> resume_command(std::vector<std::string> more = {}) const {
    std::vector<std::string> out{"train", "--resume", runs().at(0).string(), "--device", "cpu"};
    out.insert(out.end(), more.begin(), more.end());
    return out;
  }
  /// A run that was killed behind its first checkpoint.
  void kill_one() {
    Program program(train_command({"--set", "train.epochs=1000", "--set", "data.most_lost=1"}), output());
    while (!program.done() && last_checkpoint().empty()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    program.signal(SIGKILL);
    ASSERT_EQ(program.wait(), -SIGKILL) << program.output();
  }
};

TEST_F(TrainSlides, AResumedRunWhoseSlidesChangedIsRefused) {
  kill_one();
  const fs::path slides = only_run().fold(0).slides();
  const std::string before = read_file(slides), splits = read_file(only_run().splits());
  const auto json = nlohmann::json::parse(splits);
  ASSERT_EQ(json["slides"].size(), 6U);
  EXPECT_EQ(json["slides"][4], (nlohmann::json{{"id", "s4"}, {"dataset", "image_folder"}, {"donor", ""}, {"fold", 1}}));
  const fs::path picture = root_ / "data/images/s1.png";
  fs::rename(picture, root_ / "s1.png");
  EXPECT_THAT(run(resume_command(), 1), AllOf(HasSubstr("vanished: \"s1\""), HasSubstr("begin a new run")));
  std::ofstream(picture) << "no picture";
  EXPECT_THAT(run(resume_command(), 1), HasSubstr("trained on then, and not now: \"s1\""));
  EXPECT_EQ(read_file(slides), before);
  EXPECT_EQ(read_file(only_run().splits()), splits);
  fs::rename(root_ / "s1.png", picture);
  // A run of a version that wrote no folds down goes on when its slides.json agrees, and has them from then on.
  fs::remove(only_run().splits());
  Program program(resume_command(), output());
  while (!program.done() && !fs::exists(only_run().splits())) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  program.signal(SIGINT);
  ASSERT_EQ(program.wait(), 130) << program.output();
  EXPECT_EQ(read_file(only_run().splits()), splits);
}

TEST_F(TrainSlides, WrittenFoldsAreSharedAndGoWithTheRun) {
  const std::string file = (root_ / "splits.json").string(), experiment = (root_ / "tiny.toml").string();
  const std::vector<std::string> split{"data", "split", experiment, "--out", file, "--plugin", NEPHRON_TINY};
  EXPECT_THAT(run(split, 0), HasSubstr("6 slides; folds of 2, 2, 2; 0 never held out"));
  EXPECT_THAT(run(split, 1), HasSubstr("already"));
  std::string text = read_file(file);
  text.replace(text.find("\"fold\": 0"), 9, "\"fold\": 2");  // s0
  write_file_atomically(file, text);
  const std::vector<std::string> kept{"--set", "data.folds.file=\"" + file + "\"", "--set", "train.epochs=1"};
  run(train_command(kept), 0);
  const auto slides = nlohmann::json::parse(read_file(only_run().fold(0).slides()));
  ASSERT_EQ(slides["held_out"].size(), 1U);
  EXPECT_EQ(slides["held_out"][0]["id"], "s3");
  fs::remove(file);
  fs::rename(runs().at(0), root_ / "runs/tiny/moved");
  run(resume_command(), 0);  // nothing left to do, and the file that it was made with is not missed
  EXPECT_THAT(run(train_command(kept), 2), HasSubstr("is not there"));
}

TEST_F(TrainSlides, DamagedFoldsOfARunAreNotDealtAnew) {
  const std::string file = (root_ / "splits.json").string();
  run({"data", "split", (root_ / "tiny.toml").string(), "--out", file, "--plugin", NEPHRON_TINY}, 0);
  const std::vector<std::string> dealt{"--set", "train.epochs=1"};
  std::vector<std::string> frozen = dealt;
  frozen.insert(frozen.end(), {"--set", "data.folds.file=\"" + file + "\""});
  for (const auto& [how, code] : {std::pair{dealt, 1}, std::pair{frozen, 2}}) {
    fs::remove_all(root_ / "runs");
    run(train_command(how), 0);
    const std::string sound = read_file(only_run().splits());
    fs::resize_file(only_run().splits(), sound.size() / 2);
    EXPECT_THAT(run(resume_command(), code),
                AllOf(HasSubstr(only_run().splits().string()), HasSubstr("put it back from a copy"),
                      HasSubstr("nephron train EXP.toml --from " + only_run().folder().string()),
                      Not(HasSubstr("data split")), Not(HasSubstr("--overwrite"))));
    run(train_command(
            {"--set", "train.epochs=1", "--from", only_run().folder().string(), "--runs", (root_ / "from").string()}),
        0);
    write_file_atomically(only_run().splits(), sound);
    run(resume_command(), 0);
  }
}

TEST_F(TrainSlides, FewerSlidesThanFoldsAreRefusedBeforeAnythingIsDone) {
  EXPECT_THAT(run(train_command({"--fold", "all", "--set", "data.folds.count=8"}), 2),
              AllOf(HasSubstr("folds 6, 7 of 8 would hold out no slide: 6 of the 6"), Not(HasSubstr("preparing"))));
  EXPECT_TRUE(runs().empty());
}

TEST_F(TrainSlides, LostSlidesAreCountedAtTheEndOrStop) {
  spoil("s4");
  EXPECT_THAT(run(train_command(), 1), AllOf(HasSubstr("1 of 6 slides could not be read"), HasSubstr("slide \"s4\"")));
  const std::vector<std::string> allowed{"--set", "data.most_lost=0.5", "--set", "train.epochs=1"};
  const std::string said = run(train_command(allowed), 0);
  EXPECT_LT(said.find("fold  epochs"), said.find("asked for 6 slides, used 5:\n")) << said;
  std::vector<std::string> strict = train_command(allowed);
  strict.emplace_back("--strict");
  EXPECT_THAT(run(strict, 1), HasSubstr("none may be lost"));
  std::vector<std::string> check{"data", "check", (root_ / "tiny.toml").string(), "--plugin", NEPHRON_TINY};
  EXPECT_THAT(run(check, 1), HasSubstr("5 of 6 slides, 1 finding"));
  check.emplace_back("--strict");
  EXPECT_THAT(run(check, 1), AllOf(HasSubstr("none may be lost"), Not(HasSubstr("finding"))));
}

TEST_F(TrainSlides, AnUnknownClassStopsWithItsPlace) {
  std::string text = read_file(root_ / "tiny.toml");
  text.replace(text.find("root = \"data\""), 13, "root = \"data\"\nvalues = { disc = 254 }");
  write_file_atomically(root_ / "tiny.toml", text);
  EXPECT_THAT(run(train_command(), 2), AllOf(testing::ContainsRegex("tiny\\.toml:[0-9]+:[0-9]+: error: dataset"),
                                             HasSubstr("which no class has"), HasSubstr("ignore_unknown")));
}

}  // namespace
}  // namespace nephron::host
