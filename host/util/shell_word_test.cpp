#include <host/util/shell_word.hpp>

#include <gtest/gtest.h>

namespace nephron::host {
namespace {

TEST(ShellWord, IsOneWord) {
  EXPECT_EQ(shell_word("runs/mine/2026-1"), "runs/mine/2026-1");
  EXPECT_EQ(shell_word("my data/a"), "'my data/a'");
  EXPECT_EQ(shell_word("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_word(""), "''");
}

}  // namespace
}  // namespace nephron::host
