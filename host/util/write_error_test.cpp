#include <host/util/write_error.hpp>

#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <host/util/files.hpp>

namespace nephron::host {
namespace {

using ::testing::HasSubstr;

std::string hint_of(int why) {
  try {
    fail_to_write("some/file", why);
  } catch (const WriteError& e) {
    EXPECT_THAT(e.what(), HasSubstr("cannot write some/file: "));
    return e.hint();
  }
}

TEST(WriteError, SaysWhatToDoAboutAFullDisk) {
  EXPECT_THAT(hint_of(ENOSPC), HasSubstr("Make room"));
  EXPECT_THAT(hint_of(EDQUOT), HasSubstr("Make room"));
  EXPECT_THAT(hint_of(EFBIG), HasSubstr("ulimit -f"));
  EXPECT_EQ(hint_of(EACCES), "");
}

TEST(WriteError, IsWhatFilesThrow) {
  EXPECT_THROW(write_file_atomically("/dev/null/file", "x"), WriteError);
  EXPECT_THROW(make_folder("/dev/null/folder"), WriteError);
  EXPECT_THROW(require_writable("/dev/null/folder", 0), WriteError);
}

}  // namespace
}  // namespace nephron::host
