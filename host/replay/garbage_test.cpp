#include <host/replay/garbage.hpp>

#include <chrono>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/error.hpp>

#include <host/replay/objects.hpp>
#include <host/replay/snapshot.hpp>
#include <host/util/files.hpp>

#include <tests/support/scratch_folder.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::ThrowsMessage;

class Collected : public testing::Test {
 protected:
  /// An object that was put two hours ago.
  fs::path old_object(const std::string& text) {
    const fs::path file = store_.path(store_.put_text(text));
    make_old(file);
    return file;
  }
  static void make_old(const fs::path& file) {
    fs::last_write_time(file, fs::file_time_type::clock::now() - std::chrono::hours(2));
  }
  /// A folder whose snapshot names a text.
  void name(const fs::path& run, const std::string& text) {
    Snapshot snapshot;
    snapshot.experiment = store_.put_text(text);
    for (const char* place : {"bin/nephron", "libexec/nephron-compute"})
      snapshot.program.push_back({place, *snapshot.experiment, true});
    make_old(store_.path(*snapshot.experiment));
    fs::create_directories(run);
    write_file_atomically(run / snapshot_name, snapshot_text(snapshot));
  }

  const ScratchFolder scratch_{"garbage"};
  const fs::path& root_ = scratch_.path();
  ObjectStore store_{root_};
};

TEST_F(Collected, WhatAnySnapshotBelowNamesStays) {
  name(root_ / "exp/run", "a");
  name(root_ / ".trash/exp/run", "b");
  name(root_ / "elsewhere", "c");
  fs::create_directories(root_ / "linked");
  fs::create_directory_symlink(root_ / "elsewhere", root_ / "linked/run");
  const fs::path gone = old_object("d");
  const Garbage looked = collect_garbage(root_, /*only_look=*/true);
  EXPECT_THAT(looked.objects, testing::ElementsAre(gone));
  EXPECT_EQ(looked.bytes, 1);
  EXPECT_TRUE(fs::exists(gone));
  EXPECT_EQ(collect_garbage(root_, false).kept, 3U);
  EXPECT_FALSE(fs::exists(gone));
  EXPECT_TRUE(collect_garbage(root_, false).objects.empty());
}

TEST_F(Collected, WhatWasPutLatelyStays) {
  store_.put_text("young");
  const Garbage found = collect_garbage(root_, false);
  EXPECT_TRUE(found.objects.empty());
  EXPECT_EQ(found.young, 1U);
  // Putting it again makes it young again.
  const fs::path file = old_object("old");
  store_.put_text("old");
  EXPECT_TRUE(collect_garbage(root_, false).objects.empty());
  make_old(file);
  EXPECT_EQ(collect_garbage(root_, false).objects.size(), 1U);
}

TEST_F(Collected, NothingWhileARunBegins) {
  const fs::path file = old_object("a");
  {
    const ObjectsInUse run(store_);
    EXPECT_THAT([&] { collect_garbage(root_, false); }, ThrowsMessage<Error>(HasSubstr("a run begins")));
  }
  collect_garbage(root_, false);
  EXPECT_FALSE(fs::exists(file));
}

TEST_F(Collected, NothingWhereASnapshotCannotBeRead) {
  const fs::path file = old_object("a");
  name(root_ / "exp/run", "b");
  std::ofstream(root_ / "exp/run" / snapshot_name) << "{";
  EXPECT_THAT([&] { collect_garbage(root_, false); }, ThrowsMessage<Error>(HasSubstr("snapshot.json")));
  EXPECT_TRUE(fs::exists(file));
}

TEST_F(Collected, OnlyWhatIsNamedAsAnObjectAndNeverThroughALink) {
  const fs::path file = old_object("a");
  const fs::path others = root_ / "others", mine = file.parent_path() / "mine.txt";
  fs::create_directories(others);
  std::ofstream(others / std::string(62, 'e')) << "somebody's";
  make_old(others / std::string(62, 'e'));
  std::ofstream(mine) << "mine";
  make_old(mine);
  fs::create_directory_symlink(others, store_.folder() / "ee");
  const fs::path partial = file.string() + ".tmp.12.0";
  std::ofstream(partial) << "of a killed process";
  make_old(partial);
  collect_garbage(root_, false);
  EXPECT_FALSE(fs::exists(file));
  EXPECT_FALSE(fs::exists(partial));
  EXPECT_TRUE(fs::exists(mine));
  EXPECT_TRUE(fs::exists(others / std::string(62, 'e')));
  // A store that is a link is none.
  fs::rename(store_.folder(), root_ / "moved");
  fs::create_directory_symlink(root_ / "moved", store_.folder());
  EXPECT_THAT([&] { collect_garbage(root_, false); }, ThrowsMessage<Error>(HasSubstr("no folder")));
}

TEST_F(Collected, ProgramsThatNoRunBeganWithGo) {
  const auto lay_out = [&](const std::string& name) {
    fs::create_directories(trees_of(root_) / name / "bin");
    write_file_atomically(trees_of(root_) / name / snapshot_name, "{}");
    make_old(trees_of(root_) / name / snapshot_name);
    return trees_of(root_) / name;
  };
  store_.put_text("a");
  const fs::path used = lay_out("used"), unused = lay_out("unused");
  fs::create_directories(trees_of(root_) / "not-a-tree");
  name(root_ / "exp/run", "a");
  write_file_atomically(root_ / "exp/run/environment.json",
                        R"({"program":{"file":")" + (used / "libexec/nephron-compute").string() + R"("}})");
  EXPECT_THAT(collect_garbage(root_, false).trees, testing::ElementsAre(unused));
  EXPECT_TRUE(fs::exists(used));
  EXPECT_FALSE(fs::exists(unused));
  EXPECT_TRUE(fs::exists(trees_of(root_) / "not-a-tree"));
}

TEST_F(Collected, TheProgramOfARunThatIsNotAtItsEndStays) {
  name(root_ / "exp/run", "a");
  const Snapshot snapshot = read_snapshot(root_ / "exp/run" / snapshot_name);
  const fs::path tree = trees_of(root_) / tree_name(snapshot);
  fs::create_directories(tree);
  write_file_atomically(tree / snapshot_name, snapshot_text(snapshot));
  make_old(tree / snapshot_name);
  write_file_atomically(root_ / "exp/run/environment.json", R"({"folds":[0,1]})");
  fs::create_directories(root_ / "exp/run/fold-0");
  write_file_atomically(root_ / "exp/run/fold-0/done.json", "{}");
  EXPECT_TRUE(collect_garbage(root_, false).trees.empty()) << "the queue goes on with it";
  fs::create_directories(root_ / "exp/run/fold-1");
  write_file_atomically(root_ / "exp/run/fold-1/done.json", "{}");
  EXPECT_THAT(collect_garbage(root_, false).trees, testing::ElementsAre(tree));
}

TEST_F(Collected, TheProgramOfASweepInTheQueueStaysAsLongAsTheSweepDoes) {
  name(root_ / "lr-sweep/program", "a");
  const Snapshot snapshot = read_snapshot(root_ / "lr-sweep/program" / snapshot_name);
  const fs::path tree = trees_of(root_) / tree_name(snapshot);
  fs::create_directories(tree);
  write_file_atomically(tree / snapshot_name, snapshot_text(snapshot));
  make_old(tree / snapshot_name);
  EXPECT_TRUE(collect_garbage(root_, false).trees.empty()) << "jobs in line begin with it";
  fs::remove_all(root_ / "lr-sweep");
  EXPECT_THAT(collect_garbage(root_, false).trees, testing::ElementsAre(tree));
}

TEST_F(Collected, AFolderOfRunsThatKeptNothingHasNone) {
  EXPECT_TRUE(collect_garbage(root_ / "none", false).objects.empty());
  EXPECT_FALSE(fs::exists(root_ / "none"));
}

}  // namespace
}  // namespace nephron::host
