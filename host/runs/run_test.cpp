#include <host/runs/run.hpp>

#include <fstream>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/error.hpp>

#include <tests/support/scratch_folder.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

class Runs : public testing::Test {
 protected:
  const ScratchFolder scratch_{"runs"};
  const fs::path& root_ = scratch_.path();
};

TEST_F(Runs, TwoRunsNeverShareAFolder) {
  std::vector<fs::path> made(40);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; ++i)
        made[static_cast<std::size_t>(t * 10 + i)] = RunFolder::create(root_, "a b/../c").folder();
    });
  for (auto& t : threads) t.join();
  EXPECT_EQ(std::set<fs::path>(made.begin(), made.end()).size(), 40U);
  for (const auto& folder : made) EXPECT_EQ(folder.parent_path().filename(), "a_b_.._c") << "a name escaped its folder";
}

TEST_F(Runs, ANameOfDotsStaysInside) {
  EXPECT_EQ(RunFolder::create(root_, "..").folder().parent_path().parent_path(), root_);
}

TEST_F(Runs, OpensARunOrAFoldOfIt) {
  const RunFolder made = RunFolder::create(root_, "x");
  std::ofstream(made.experiment()) << "name = \"x\"\n";
  for (const int k : {10, 2}) fs::create_directories(made.fold(k).checkpoints());
  fs::create_directory(made.folder() / "fold-x");
  EXPECT_EQ(RunFolder::open(made.folder() / "").folder(), made.folder());
  EXPECT_EQ(RunFolder::open(made.folder()).opened_fold(), -1);
  const RunFolder fold = RunFolder::open(made.fold(10).folder);
  EXPECT_EQ(fold.folder(), made.folder());
  EXPECT_EQ(fold.opened_fold(), 10);
  EXPECT_THAT(fold.folds(), ElementsAre(2, 10));
}

TEST_F(Runs, AnExperimentStandsForItsLatestRun) {
  for (const char* name : {"20260102-000000-aaaaaa", "20260103-000000-bbbbbb", "20260101-000000-cccccc"}) {
    fs::create_directories(root_ / "x" / name);
    std::ofstream(root_ / "x" / name / "experiment.resolved.toml") << "name = \"x\"\n";
  }
  fs::create_directories(root_ / "x/20270101-000000-dddddd");  // failed before it was a run
  EXPECT_EQ(RunFolder::open(root_ / "x").folder(), root_ / "x/20260103-000000-bbbbbb");
  EXPECT_EQ(RunFolder::open(root_ / "x/").opened_fold(), -1);
}

TEST_F(Runs, AProposedRunIsNotThereYet) {
  const RunFolder run = RunFolder::propose(root_, "x");
  EXPECT_FALSE(fs::exists(root_ / "x"));
  run.make();
  EXPECT_TRUE(fs::is_directory(run.folder()));
  EXPECT_THAT([&] { run.make(); }, ThrowsMessage<Error>(HasSubstr("it is there already")));
}

TEST_F(Runs, SaysWhatIsNoRun) {
  EXPECT_THAT([&] { RunFolder::open(root_ / "none"); }, ThrowsMessage<Error>(HasSubstr("no such folder")));
  EXPECT_THAT([&] { RunFolder::open("/dev/null"); }, ThrowsMessage<Error>(HasSubstr("/dev/null is no folder")));
  EXPECT_THAT([&] { RunFolder::open(root_); }, ThrowsMessage<Error>(HasSubstr("holds no experiment.resolved.toml")));
  EXPECT_THAT([&] { RunFolder::create("/proc/nephron", "x"); },
              ThrowsMessage<Error>(HasSubstr("cannot make the folder")));
  EXPECT_THAT([&] { RunFolder::create(root_, "x").fold(3).weights("best"); },
              ThrowsMessage<Error>(HasSubstr("no checkpoint \"best\"")));
}

// Advice that can be followed, whatever became of the checkpoints.
TEST_F(Runs, SaysWhatToDoWithoutACheckpoint) {
  const FoldFolder fold = RunFolder::create(root_, "x").fold(0);
  const auto advice = [&](const char* which) {
    try {
      fold.weights(which);
    } catch (const Error& e) {
      return e.hint();
    }
    return std::string("no error");
  };
  EXPECT_THAT(advice("best"), HasSubstr("nephron train --resume"));
  fs::create_directories(fold.checkpoints() / "step-1");
  fs::create_directory_symlink("step-1", fold.checkpoints() / "last");
  EXPECT_THAT(advice("last"), testing::AllOf(HasSubstr("put the file back"), testing::Not(HasSubstr("--resume"))));
  fs::create_directories(fold.checkpoints() / "best");
  std::ofstream(fold.checkpoints() / "best/weights.safetensors").close();
  EXPECT_THAT(advice("last"), HasSubstr("take --checkpoint best"));
  fs::remove_all(fold.checkpoints() / "best");
  std::ofstream(fold.checkpoints() / "step-1/weights.safetensors").close();
  EXPECT_THAT(advice("best"), HasSubstr("--checkpoint last takes the newest weights"));
  EXPECT_THAT(advice("average"), HasSubstr("[train.average]"));
}

}  // namespace
}  // namespace nephron::host
