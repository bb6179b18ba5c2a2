// `nephron train --fold all --jobs N`: folds in processes of their own are the folds of one process.
#include <chrono>
#include <csignal>
#include <thread>

#include <nlohmann/json.hpp>

#include <tests/integration/train/train_fixture.hpp>

namespace nephron::host {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;

class TrainJobs : public Train {
 protected:
  /// The run of the folds one after another.
  RunFolder one_after_another(const std::vector<std::string>& more) {
    std::vector<std::string> command = train_command({"--fold", "all", "--runs", (root_ / "whole").string()});
    command.insert(command.end(), more.begin(), more.end());
    run(command, 0);
    return RunFolder::open(fs::directory_iterator(root_ / "whole/tiny")->path());
  }
  static void expect_equal_folds(const RunFolder& a, const RunFolder& b) {
    for (int k = 0; k < 3; ++k) {
      SCOPED_TRACE("fold " + std::to_string(k));
      expect_equal(tensors(a, k), tensors(b, k));
      EXPECT_EQ(losses(a, k), losses(b, k));
    }
  }
  bool begun(int fold) const {
    return !runs().empty() && fs::exists(runs()[0] / ("fold-" + std::to_string(fold)) / "checkpoints/last");
  }
  static void wait_for(Program& program, const auto& what) {
    while (!program.done() && !what()) std::this_thread::sleep_for(2ms);
  }
  /// The process that trains a fold of this test's run; 0: none.
  pid_t process_of(int fold) const {
    const std::string wanted = "--worker-fold" + std::string(1, '\0') + std::to_string(fold) + std::string(1, '\0');
    for (const auto& entry : fs::directory_iterator("/proc", fs::directory_options::skip_permission_denied)) {
      const std::string name = entry.path().filename().string();
      if (name.find_first_not_of("0123456789") != std::string::npos) continue;
      std::ifstream file(entry.path() / "cmdline", std::ios::binary);
      const std::string command{std::istreambuf_iterator<char>(file), {}};
      if (command.find(root_.string()) != std::string::npos && command.find(wanted) != std::string::npos)
        return std::stoi(name);
    }
    return 0;
  }
};

TEST_F(TrainJobs, FoldsInProcessesAreTheSameBits) {
  const RunFolder whole = one_after_another({});
  const std::string said = run(train_command({"--fold", "all", "--jobs", "2"}), 0);
  EXPECT_THAT(said,
              AllOf(HasSubstr("3 folds in 2 processes at a time, with 1 thread each"), HasSubstr("fold 0  epoch 3/3"),
                    HasSubstr("fold 1  epoch 3/3"), HasSubstr("fold 2  epoch 3/3"),
                    ContainsRegex("mean of best Dice 0\\.[0-9]+, deviation"), HasSubstr(only_run().folder().string())));
  expect_equal_folds(whole, only_run());
  const auto environment = nlohmann::json::parse(read_file(only_run().environment()));
  EXPECT_EQ(environment.at("sessions").size(), 1U) << "the processes of one command are one session";
  EXPECT_THAT(read_file(only_run().log()), HasSubstr("fold 2  epoch 3/3"));
  // What is finished is read, and the table printed again.
  EXPECT_THAT(run({"train", "--resume", runs()[0].string(), "--device", "cpu", "--jobs", "3"}, 0),
              ContainsRegex("mean of best Dice 0\\.[0-9]+, deviation"));
}

TEST_F(TrainJobs, PlacesAreDevicesAndNoMoreThanFolds) {
  const std::vector<std::string> more{"--set", "train.epochs=1"};
  const RunFolder whole = one_after_another(more);
  // Each fold by itself: two at a time on one device, as whoever has several GPUs writes it.
  std::vector<std::string> command =
      train_command({"--fold", "all", "--devices", "cpu,cpu", "--set", "train.epochs=1"});
  for (std::size_t i = 0; i + 1 < command.size(); ++i)  // --devices stands in its place
    if (command[i] == "--device")
      command.erase(command.begin() + std::ptrdiff_t(i), command.begin() + std::ptrdiff_t(i) + 2);
  EXPECT_THAT(run(command, 0), HasSubstr("3 folds in 2 processes at a time"));
  expect_equal_folds(whole, only_run());
  EXPECT_THAT(run(train_command({"--fold", "0", "--jobs", "4", "--set", "train.epochs=1"}), 0),
              testing::Not(HasSubstr("processes at a time")));
}

TEST_F(TrainJobs, CtrlCReachesAllAndTheyGoOn) {
  const std::vector<std::string> more{"--set", "train.epochs=40"};
  const RunFolder whole = one_after_another(more);
  Program program(train_command({"--fold", "all", "--jobs", "2", "--set", "train.epochs=40"}), output());
  wait_for(program, [&] { return begun(0) && begun(1); });
  // One lock, held by the parent.
  {
    Program second({"train", "--resume", runs().at(0).string(), "--device", "cpu"}, root_ / "second.txt");
    EXPECT_EQ(second.wait(), 1);
    EXPECT_THAT(second.output(), HasSubstr("another process is training"));
  }
  program.signal(SIGINT);
  ASSERT_EQ(program.wait(), 130) << program.output();
  EXPECT_THAT(program.output(), AllOf(HasSubstr("waiting until every fold has saved"),
                                      HasSubstr("nephron train --resume " + runs().at(0).string() + " --jobs 2")));
  for (const int k : {0, 1}) EXPECT_EQ(process_of(k), 0);
  EXPECT_FALSE(only_run().fold(2).finished());
  run({"train", "--resume", runs()[0].string(), "--device", "cpu", "--jobs", "2"}, 0);
  expect_equal_folds(whole, only_run());
}

TEST_F(TrainJobs, AProcessThatDiesIsSaidAndTheOthersFinish) {
  const std::vector<std::string> more{"--set", "train.epochs=60"};
  Program program(train_command({"--fold", "all", "--jobs", "2", "--set", "train.epochs=60"}), output());
  wait_for(program, [&] { return begun(0) && begun(1); });
  const pid_t victim = process_of(1);
  ASSERT_GT(victim, 0) << program.output();
  ::kill(victim, SIGKILL);
  ASSERT_EQ(program.wait(), 1) << program.output();
  EXPECT_THAT(program.output(),
              AllOf(HasSubstr("fold 1 failed: its process ended without a result: it was killed by signal 9"),
                    HasSubstr("the folds that run go on to their end"), HasSubstr("no other fold is begun"),
                    HasSubstr("go on with: nephron train --resume " + runs().at(0).string() + " --jobs 2")));
  EXPECT_TRUE(only_run().fold(0).finished());
  EXPECT_FALSE(only_run().fold(1).finished());
  EXPECT_FALSE(fs::exists(only_run().fold(2).folder));
  run({"train", "--resume", runs()[0].string(), "--device", "cpu", "--jobs", "2"}, 0);
  expect_equal_folds(one_after_another(more), only_run());
}

TEST_F(TrainJobs, WhatFailsIsSaidByItsFoldAndWhatCannotBeAskedIsRefused) {
  write_experiment("", "{ type = \"test-brittle\", throws = true }");
  const std::string said = run(train_command({"--fold", "all", "--jobs", "2"}), 1);
  EXPECT_THAT(said, AllOf(HasSubstr("fold 0 failed: "), HasSubstr("the forward of the fixture fails")));
  EXPECT_THAT(run(train_command({"--debug", "--jobs", "2"}), 2), HasSubstr("--debug"));
  EXPECT_THAT(run(train_command({"--jobs", "0"}), 2), HasSubstr("--jobs"));
  EXPECT_THAT(run(train_command({"--devices", "cpu,cpu"}), 2), HasSubstr("--devices"));
}

}  // namespace
}  // namespace nephron::host
