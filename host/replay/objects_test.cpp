#include <host/replay/objects.hpp>

#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <nephron/error.hpp>

#include <host/util/files.hpp>

#include <tests/support/scratch_folder.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::ThrowsMessage;

class Objects : public testing::Test {
 protected:
  fs::path file(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }
  std::size_t stored() const {
    std::size_t out = 0;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(store_.folder()))
      out += entry.is_regular_file() && entry.path().filename() != ".lock";
    return out;
  }
  /// What a fault of the disk, or a person, would do.
  void change(const ObjectName& name, const std::string& text) const {
    fs::permissions(store_.path(name), fs::perms::owner_write, fs::perm_options::add);
    std::ofstream(store_.path(name)) << text;
  }

  const ScratchFolder scratch_{"objects"};
  const fs::path& folder_ = scratch_.path();
  ObjectStore store_{folder_};
};

TEST_F(Objects, KeepsEachContentOnceAndReadOnly) {
  const ObjectName a = store_.put(file("a", "abc"));
  EXPECT_EQ(a.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(a.bytes, 3);
  EXPECT_EQ(store_.put(file("b", "abc")), a);
  EXPECT_EQ(store_.put_text("abc"), a);
  EXPECT_EQ(stored(), 1U);
  struct stat info = {};
  ASSERT_EQ(::stat(store_.path(a).c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0222, 0U);
  EXPECT_EQ(store_.text(a, 10), "abc");
}

TEST_F(Objects, WhatIsKeptDoesNotChangeWithItsFile) {
  const fs::path written_over = file("a", "first");
  const ObjectName first = store_.put(written_over);
  std::ofstream(written_over) << "other";  // in place, as cp does
  EXPECT_EQ(store_.text(first, 10), "first");
}

TEST_F(Objects, LaysOutProgramsThatRun) {
  const fs::path script = file("script", "#!/bin/sh\nexit 7\n");
  const ObjectName as_data = store_.put(script);
  store_.lay_out(as_data, folder_ / "out", /*executable=*/true);
  EXPECT_EQ(::access((folder_ / "out").c_str(), X_OK), 0);
  fs::permissions(script, fs::perms::owner_exec, fs::perm_options::add);
  std::ofstream(script, std::ios::app) << "# more\n";
  const ObjectName as_program = store_.put(script);
  store_.lay_out(as_program, folder_ / "linked", /*executable=*/true);
  EXPECT_EQ(fs::hard_link_count(folder_ / "linked"), 2U) << "no space is taken for it";
}

TEST_F(Objects, NothingDamagedIsUsed) {
  const ObjectName name = store_.put(file("a", "abc"));
  change(name, "abd");
  EXPECT_THAT([&] { store_.text(name, 10); }, ThrowsMessage<Error>(HasSubstr("damaged")));
  EXPECT_THAT([&] { store_.lay_out(name, folder_ / "out", false); }, ThrowsMessage<Error>(HasSubstr("damaged")));
  EXPECT_FALSE(fs::exists(folder_ / "out"));
  change(name, "abcd");
  EXPECT_FALSE(store_.has(name));
  EXPECT_THAT([&] { store_.lay_out(name, folder_ / "out", false); }, ThrowsMessage<Error>(HasSubstr("not as long")));
  fs::remove(store_.path(name));
  EXPECT_THAT([&] { store_.text(name, 10); }, ThrowsMessage<Error>(HasSubstr("gone")));
  EXPECT_THAT([&] { store_.lay_out(name, folder_ / "out", false); }, ThrowsMessage<Error>(HasSubstr("gone")));
}

TEST_F(Objects, WhatWasDamagedIsPutAgain) {
  const ObjectName name = store_.put(file("a", "abc"));
  change(name, "abd");
  EXPECT_EQ(store_.put(file("a", "abc")), name);
  EXPECT_EQ(store_.text(name, 10), "abc");
  change(name, "abd");
  EXPECT_EQ(store_.put_text("abc"), name);
  EXPECT_EQ(store_.text(name, 10), "abc");
  EXPECT_EQ(stored(), 1U);
}

TEST_F(Objects, ALinkIsNoObject) {
  const ObjectName name = store_.put(file("a", "abc"));
  fs::remove(store_.path(name));
  fs::create_symlink(folder_ / "a", store_.path(name));
  EXPECT_FALSE(store_.has(name));
  EXPECT_THAT([&] { store_.lay_out(name, folder_ / "out", false); }, ThrowsMessage<Error>(HasSubstr("damaged")));
}

TEST_F(Objects, NamesThatAreNoDigestsArePathsInDisguise) {
  for (const std::string& text : {std::string("../../etc/passwd"), std::string(64, 'g'), std::string(64, 'A'),
                                  std::string(63, 'a'), std::string()}) {
    EXPECT_FALSE(is_sha256(text));
    EXPECT_FALSE(store_.has({text, 1}));
    EXPECT_THAT([&] { store_.path({text, 1}); }, ThrowsMessage<Error>(HasSubstr("no SHA-256")));
  }
}

TEST_F(Objects, AStoreThatIsALinkIsNotWritten) {
  fs::create_directory(folder_ / "elsewhere");
  fs::create_directory_symlink(folder_ / "elsewhere", store_.folder());
  EXPECT_THAT([&] { store_.put(file("a", "abc")); }, ThrowsMessage<Error>(HasSubstr("is no folder")));
  EXPECT_TRUE(fs::is_empty(folder_ / "elsewhere"));
}

TEST_F(Objects, ManyMayPutTheSame) {
  const fs::path big = file("big", std::string(1 << 20, 'x'));
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back([&] { ObjectStore(folder_).put(big); });
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(stored(), 1U);
}

}  // namespace
}  // namespace nephron::host
