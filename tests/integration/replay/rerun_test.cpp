// Runs that are started again from what they keep, and what is removed when no run names it.
#include <chrono>

#include <sys/stat.h>
#include <unistd.h>

#include <host/replay/step_digests.hpp>

#include <tests/integration/replay/replay_fixture.hpp>

namespace nephron::host {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Rerun : public Replay {
 protected:
  fs::path store() const { return root_ / "runs/.objects"; }
  std::vector<fs::path> objects() const {
    std::vector<fs::path> out;
    for (const auto& folder : fs::directory_iterator(store()))
      if (folder.path().filename().string().size() == 2)
        for (const auto& entry : fs::directory_iterator(folder.path())) out.push_back(entry.path());
    return out;
  }
  fs::path object(const nlohmann::json& entry) const {
    const std::string sha256 = entry.at("sha256");
    return store() / sha256.substr(0, 2) / sha256.substr(2);
  }
  /// The kept plugin of that name.
  fs::path kept_plugin(const fs::path& run, const std::string& name) const {
    const nlohmann::json snapshot = json_of(run / "snapshot.json");
    for (const auto& entry : snapshot.at("plugins"))
      if (entry.at("plugin") == name) return object(entry);
    return {};
  }
  fs::path rerun(const fs::path& run, std::vector<std::string> more = {}) {
    std::vector<std::string> command{"rerun", run.string()};
    command.insert(command.end(), more.begin(), more.end());
    const std::vector<fs::path> before = runs();
    this->run(command, 0);
    for (const fs::path& other : runs())
      if (std::find(before.begin(), before.end(), other) == before.end()) return other;
    return {};
  }
  std::string refused(const fs::path& run, std::vector<std::string> more = {}) {
    std::vector<std::string> command{"rerun", run.string()};
    command.insert(command.end(), more.begin(), more.end());
    const std::size_t before = runs().size();
    std::string said = this->run(command, 1);
    EXPECT_EQ(runs().size(), before) << said;
    return said;
  }
  void make_old() const {
    for (const fs::path& file : objects())
      fs::last_write_time(file, fs::file_time_type::clock::now() - std::chrono::hours(2));
    if (fs::exists(store() / "trees"))
      for (const auto& tree : fs::directory_iterator(store() / "trees"))
        fs::last_write_time(tree.path() / "snapshot.json", fs::file_time_type::clock::now() - std::chrono::hours(2));
  }
};

TEST_F(Rerun, StartsFromWhatTheRunWasMadeWithThoughAllWasBuiltAnew) {
  const fs::path first = trained(6);
  build_plugin(NEPHRON_SCALED_2);
  std::ofstream(first / "experiment.resolved.toml", std::ios::app) << "# edited\n";
  const fs::path second = rerun(first);
  ASSERT_FALSE(second.empty());
  EXPECT_EQ(losses(RunFolder::open(second)), losses(RunFolder::open(first)));
  const nlohmann::json environment = json_of(second / "environment.json");
  EXPECT_EQ(environment.at("rerun_of"), first.string());
  EXPECT_THAT(environment.at("program").at("file").get<std::string>(), HasSubstr(".objects/trees/"));
  // With the new plugin the run is another one.
  EXPECT_NE(losses(RunFolder::open(trained(6))), losses(RunFolder::open(first)));
  // A run that was started again can be started again.
  const fs::path third = rerun(second, {"--set", "train.steps_per_epoch=3"});
  EXPECT_EQ(losses(RunFolder::open(third)).size(), 3U);
  EXPECT_EQ(losses(RunFolder::open(third)).at(1), losses(RunFolder::open(first)).at(1));
}

TEST_F(Rerun, HasTheThreadsOfTheRun) {
  const auto threads = [](const fs::path& run) {
    return read_digests(RunFolder::open(run).fold(0).folder / digests_name).sessions.at(0).threads;
  };
  ::setenv("OMP_NUM_THREADS", "2", 1);
  const fs::path first = trained(1, {"--set", "train.threads=0"});
  ::setenv("OMP_NUM_THREADS", "1", 1);
  EXPECT_EQ(threads(first), 2);
  EXPECT_EQ(threads(rerun(first)), 2);
  EXPECT_EQ(threads(rerun(first, {"--set", "train.threads=1"})), 1);
  ::unsetenv("OMP_NUM_THREADS");
}

TEST_F(Rerun, EachFileIsKeptOnce) {
  trained(1);
  const std::size_t first = objects().size();
  const fs::path second = trained(1);
  EXPECT_LE(objects().size(), first + 2) << "but for the experiment and its folds";
  struct stat info = {};
  for (const fs::path& file : objects()) {
    ASSERT_EQ(::stat(file.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0222, 0U) << file;
  }
  EXPECT_FALSE(json_of(second / "snapshot.json").at("torch").at("ends_sha256").get<std::string>().empty());
}

TEST_F(Rerun, OtherDataIsRefusedByName) {
  const fs::path first = trained(2);
  change_pixel("s3");
  EXPECT_THAT(refused(first), AllOf(HasSubstr("slide \"s3\""), HasSubstr("other pixels"), HasSubstr("--anyway")));
  EXPECT_FALSE(rerun(first, {"--anyway"}).empty());
}

TEST_F(Rerun, WhatIsDamagedOrGoneIsNotRun) {
  const fs::path first = trained(1);
  const fs::path kept = kept_plugin(first, "test_scaled");
  const std::string bytes = read_file(kept);
  fs::permissions(kept, fs::perms::owner_write, fs::perm_options::add);
  std::ofstream(kept, std::ios::app) << "more";
  EXPECT_THAT(refused(first), AllOf(HasSubstr("scaled.so"), HasSubstr("damaged")));
  fs::remove(kept);
  EXPECT_THAT(refused(first), AllOf(HasSubstr("scaled.so"), HasSubstr("is gone")));
  std::string text = read_file(first / "snapshot.json");
  fs::remove(first / "snapshot.json");
  EXPECT_THAT(refused(first), HasSubstr("keeps no snapshot"));
  text.replace(text.find("bin/nephron"), 11, "../../../sh");
  write_file_atomically(first / "snapshot.json", text);
  EXPECT_THAT(refused(first), HasSubstr("no place in a program's tree"));
}

TEST_F(Rerun, ProgramsOfOthersWantTrust) {
  const fs::path first = trained(1);
  fs::permissions(first / "snapshot.json", fs::perms::others_write, fs::perm_options::add);
  EXPECT_THAT(refused(first), AllOf(HasSubstr("may be written by anybody"), HasSubstr("--trust")));
  fs::permissions(first / "snapshot.json", fs::perms::others_write, fs::perm_options::remove);
  if (::geteuid() != 0) GTEST_SKIP() << "only root gives files away";
  ASSERT_EQ(::chown((first / "snapshot.json").c_str(), 12345, -1), 0);
  EXPECT_THAT(refused(first), AllOf(HasSubstr("belongs to another user (user 12345)"), HasSubstr("--trust")));
  EXPECT_FALSE(rerun(first, {"--trust"}).empty());
}

TEST_F(Rerun, WhereOthersMayWriteTheProgramIsLaidOutElsewhere) {
  const fs::path first = trained(1);
  fs::permissions(store(), fs::perms::others_write, fs::perm_options::add);
  ::setenv("XDG_CACHE_HOME", (root_ / "cache").c_str(), 1);
  const fs::path second = rerun(first);
  ::unsetenv("XDG_CACHE_HOME");
  EXPECT_THAT(json_of(second / "environment.json").at("program").at("file").get<std::string>(),
              HasSubstr((root_ / "cache/nephron/.objects/trees").string()));
  EXPECT_FALSE(fs::exists(store() / "trees"));
}

TEST_F(Rerun, AStoreThatCannotBeCostsNoRun) {
  fs::create_directories(root_ / "runs");
  std::ofstream(store()) << "a file in its place";
  const fs::path first = trained(1);
  EXPECT_THAT(read_file(output()), AllOf(HasSubstr("keeps no snapshot"), HasSubstr("is no folder")));
  EXPECT_TRUE(fs::exists(first / "fold-0/done.json"));
  EXPECT_FALSE(fs::exists(first / "snapshot.json"));
}

TEST_F(Rerun, GarbageIsWhatNoRunNames) {
  const auto gc = [&](std::vector<std::string> more = {}) {
    std::vector<std::string> command{"runs", "gc", "--runs", (root_ / "runs").string()};
    command.insert(command.end(), more.begin(), more.end());
    return run(command, 0);
  };
  const fs::path first = trained(1);
  build_plugin(NEPHRON_SCALED_2);
  const fs::path second = trained(1);
  const fs::path only_first = kept_plugin(first, "test_scaled"), only_second = kept_plugin(second, "test_scaled");
  std::ofstream(store() / "mine.txt") << "not of the store";
  make_old();
  gc();
  EXPECT_TRUE(fs::exists(only_first));
  fs::create_directories(root_ / "runs/.trash/tiny");
  fs::rename(first, root_ / "runs/.trash/tiny" / first.filename());
  gc();
  EXPECT_TRUE(fs::exists(only_first)) << "a run in the trash may come back";
  fs::remove_all(root_ / "runs/.trash");
  EXPECT_THAT(gc({"--dry-run"}), HasSubstr("would remove"));
  EXPECT_TRUE(fs::exists(only_first));
  gc();
  EXPECT_FALSE(fs::exists(only_first));
  EXPECT_TRUE(fs::exists(only_second));
  EXPECT_TRUE(fs::exists(store() / "mine.txt"));
  // Nobody knows what a damaged snapshot names.
  std::ofstream(second / "snapshot.json") << "{";
  make_old();
  EXPECT_THAT(run({"runs", "gc", "--runs", (root_ / "runs").string()}, 1), HasSubstr("snapshot.json"));
  EXPECT_TRUE(fs::exists(only_second));
  fs::remove_all(second);
  std::ofstream(only_second.parent_path() / only_second.filename(), std::ios::app);
  gc();
  EXPECT_FALSE(fs::exists(only_second));
}

TEST_F(Rerun, NothingIsKeptOfATrial) {
  run(train_command({"--plugin", plugin(), "--debug"}), 0);
  EXPECT_FALSE(fs::exists(store()));
}

}  // namespace
}  // namespace nephron::host
