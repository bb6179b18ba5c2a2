#include <host/replay/rerun.hpp>

#include <cstdlib>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nephron/error.hpp>

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
    write_file_atomically(run_ / snapshot_name, snapshot_text(take_snapshot(store, tree_, {})));
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

}  // namespace
}  // namespace nephron::host
