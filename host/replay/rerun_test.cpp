#include <host/replay/rerun.hpp>

#include <cstdlib>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nephron/error.hpp>

#include <host/replay/group_of_one.hpp>
#include <host/util/files.hpp>

#include <tests/support/scratch_folder.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::ThrowsMessage;

class RerunRights : public testing::Test {
 protected:
  RerunRights() {
    for (const char* file : {"bin/nephron", "libexec/nephron-compute", "libexec/nephron-compute.commands"}) {
      fs::create_directories((tree_ / file).parent_path());
      std::ofstream(tree_ / file) << file;
      fs::permissions(tree_ / file, fs::perms::owner_exec, fs::perm_options::add);
    }
    fs::create_directories(run_);
    ObjectStore store(root_);
    write_snapshot(run_ / snapshot_name, take_snapshot(store, tree_, {}));
    ::setenv("XDG_CACHE_HOME", (scratch_.path() / "cache").c_str(), 1);
  }
  ~RerunRights() override { ::unsetenv("XDG_CACHE_HOME"); }
  bool is_laid_out_with_the_runs() const {
    return lay_out_program(run_, false).string().starts_with((root_ / ".objects").string() + "/");
  }

  const ScratchFolder scratch_{"rerun"};
  const fs::path tree_ = scratch_.path() / "tree", root_ = scratch_.path() / "runs", run_ = root_ / "unet" / "one";
};

TEST_F(RerunRights, AListThatItsGroupMayWriteWantsTrust) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root gives files to any group";
  const fs::path file = run_ / snapshot_name;
  ASSERT_EQ(::chown(file.c_str(), -1, 12345), 0);
  EXPECT_NO_THROW(lay_out_program(run_, false));
  ASSERT_EQ(::chmod(file.c_str(), 0664), 0);
  EXPECT_THAT([&] { lay_out_program(run_, false); },
              ThrowsMessage<Error>(HasSubstr("may be written by its group (12345)")));
  EXPECT_NO_THROW(lay_out_program(run_, true));
}

TEST_F(RerunRights, WhereOthersMayExchangeTheStoreTheProgramIsLaidOutElsewhere) {
  EXPECT_TRUE(is_laid_out_with_the_runs());
  ASSERT_EQ(::chmod(root_.c_str(), 0777), 0);
  EXPECT_FALSE(is_laid_out_with_the_runs()) << "the store is one's own, and could be renamed";
  ASSERT_EQ(::chmod(root_.c_str(), 01777), 0);
  EXPECT_TRUE(is_laid_out_with_the_runs()) << "a sticky folder lets nobody else do that";
}

TEST_F(RerunRights, OwnRunsInAFolderOfAGroupWantNoTrust) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root gives files to any group";
  const mode_t before = ::umask(002);
  const Snapshot snapshot = read_snapshot(run_ / snapshot_name);
  write_snapshot(run_ / snapshot_name, snapshot);
  for (const fs::path& path : {root_, run_, run_ / snapshot_name}) ASSERT_EQ(::chown(path.c_str(), -1, 12345), 0);
  for (const fs::path& folder : {root_, run_}) ASSERT_EQ(::chmod(folder.c_str(), 02775), 0);
  const fs::path cache = scratch_.path() / "cache" / "nephron";
  fs::create_directories(cache);
  ASSERT_EQ(::chmod(cache.c_str(), 0775), 0);
  const std::string tree = lay_out_program(run_, false).string();
  ::umask(before);
  EXPECT_TRUE(tree.starts_with(cache.string() + "/")) << "the group could exchange it: " << tree;
  for (fs::path folder = tree; folder != scratch_.path() / "cache"; folder = folder.parent_path()) {
    struct stat info = {};
    ASSERT_EQ(::stat(folder.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & (S_IWGRP | S_IWOTH), 0U) << folder;
  }
}

TEST(GroupOfOne, HasNoOtherUserWhoseOwnItIs) {
  const passwd* const me = ::getpwuid(::geteuid());
  if (me == nullptr || !is_group_of_one(me->pw_gid, me->pw_uid)) GTEST_SKIP() << "this user has no group of one";
  const ScratchFolder scratch("group-of-one");
  const std::string own = std::string(me->pw_name) + ":x:1:" + std::to_string(me->pw_gid) + ":::\n";
  write_file_atomically(scratch.path() / "alone", own + "bob:x:1001:1001:::\n");
  EXPECT_TRUE(is_group_of_one(me->pw_gid, me->pw_uid, scratch.path() / "alone"));
  write_file_atomically(scratch.path() / "two", own + "bob:x:1001:" + std::to_string(me->pw_gid) + ":::\n");
  EXPECT_FALSE(is_group_of_one(me->pw_gid, me->pw_uid, scratch.path() / "two"));
  EXPECT_FALSE(is_group_of_one(me->pw_gid + 1, me->pw_uid)) << "a group that is not the user's own";
}

}  // namespace
}  // namespace nephron::host
