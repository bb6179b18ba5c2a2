#include <host/util/temporary_folder.hpp>

#include <fstream>
#include <optional>

#include <gtest/gtest.h>

#include <nephron/error.hpp>

#include <tests/support/scratch_folder.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;

class Temporary : public testing::Test {
 protected:
  const ScratchFolder scratch_{"temporary"};
  const fs::path& where_ = scratch_.path();
};

TEST_F(Temporary, GoesWithTheObjectAndWhatIsInIt) {
  fs::path folder;
  {
    const TemporaryFolder one("some-", where_), other("some-", where_);
    EXPECT_NE(one.folder(), other.folder());
    folder = one.folder();
    EXPECT_EQ(folder.parent_path(), where_);
    EXPECT_EQ(folder.filename().string().rfind("some-", 0), 0U);
    std::ofstream(folder / "file") << "x";
    EXPECT_TRUE(fs::exists(other.folder())) << "the folder of one that lives stays";
  }
  EXPECT_TRUE(fs::is_empty(where_));
}

TEST_F(Temporary, TheNextOneRemovesWhatAKilledProcessLeftAndNothingElse) {
  for (const char* left : {"some-abcdef", "some-person", "other-abcdef"}) fs::create_directory(where_ / left);
  for (const char* owned : {"some-abcdef", "other-abcdef"}) std::ofstream(where_ / owned / "owner.lock") << "";
  const TemporaryFolder next("some-", where_);
  EXPECT_FALSE(fs::exists(where_ / "some-abcdef"));
  EXPECT_TRUE(fs::exists(where_ / "some-person")) << "it holds no lock: a person's";
  EXPECT_TRUE(fs::exists(where_ / "other-abcdef"));
}

TEST_F(Temporary, AFolderThatIsNotThereIsAnError) { EXPECT_THROW(TemporaryFolder("some-", where_ / "none"), Error); }

}  // namespace
}  // namespace nephron::host
