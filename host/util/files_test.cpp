#include <host/util/files.hpp>

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nephron/error.hpp>

#include <tests/support/scratch_folder.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::ThrowsMessage;

class Files : public testing::Test {
 protected:
  const ScratchFolder scratch_{"files"};
  const fs::path& folder_ = scratch_.path();
};

TEST_F(Files, WritesAndReadsBackAnyBytes) {
  std::string bytes(100000, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31);
  write_file_atomically(folder_ / "a", bytes);
  EXPECT_EQ(read_file(folder_ / "a"), bytes);
  write_file_atomically(folder_ / "a", "");
  EXPECT_EQ(read_file(folder_ / "a"), "");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1) << "a temporary file was left behind";
}

TEST_F(Files, AFailedWriteKeepsTheOldFileAndNoRest) {
  fs::create_directory(folder_ / "target");  // a folder cannot be replaced by a file
  EXPECT_THAT([&] { write_file_atomically(folder_ / "target", "x"); }, ThrowsMessage<Error>(HasSubstr("cannot write")));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
  EXPECT_THAT([&] { write_file_atomically(folder_ / "none" / "x", "x"); },
              ThrowsMessage<Error>(HasSubstr("No such file")));
}

TEST_F(Files, ReadingSaysWhatIsWrong) {
  EXPECT_THAT([&] { read_file(folder_ / "none"); }, ThrowsMessage<Error>(HasSubstr("No such file")));
  EXPECT_THAT([&] { read_file(folder_); }, ThrowsMessage<Error>(HasSubstr("it is a folder")));
  std::ofstream(folder_ / "big") << std::string(1001, 'x');
  EXPECT_THAT([&] { read_file(folder_ / "big", 1000); }, ThrowsMessage<Error>(HasSubstr("1001 bytes")));
}

TEST_F(Files, ReadsWhatHasNoSize) {
  EXPECT_THAT(read_file("/proc/self/status"), HasSubstr("VmHWM"));
}

TEST_F(Files, ReadsPlainFilesAlone) {
  const fs::path pipe = folder_ / "pipe", link = folder_ / "link";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  fs::create_symlink("/dev/zero", link);
  for (const fs::path& file : {pipe, link}) {
    EXPECT_THAT([&] { read_file(file); }, ThrowsMessage<Error>(HasSubstr("is no plain file")));
    EXPECT_THAT([&] { sha256_of(file); }, ThrowsMessage<Error>(HasSubstr("is no plain file")));
  }
  fs::create_symlink(pipe, folder_ / "to-pipe");
  EXPECT_THAT([&] { read_file(folder_ / "to-pipe"); }, ThrowsMessage<Error>(HasSubstr("is no plain file")));
}

TEST_F(Files, KnowsSha256) {
  std::ofstream(folder_ / "abc") << "abc";  // FIPS 180-2, appendix B.1
  EXPECT_EQ(sha256_of(folder_ / "abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_F(Files, AsksForSpaceAndRights) {
  EXPECT_NO_THROW(require_writable(folder_ / "new" / "deep", 1));
  EXPECT_THAT([&] { require_writable(folder_, std::size_t{1} << 60); }, ThrowsMessage<Error>(HasSubstr("are needed")));
  EXPECT_THAT([&] { require_writable("/proc/nephron", 1); }, ThrowsMessage<Error>(HasSubstr("cannot make the folder")));
  EXPECT_TRUE(fs::is_empty(folder_ / "new" / "deep"));
}

}  // namespace
}  // namespace nephron::host
