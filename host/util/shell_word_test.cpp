#include <host/util/shell_word.hpp>

#include <gtest/gtest.h>

namespace nephron::host {
namespace {

TEST(ShellWord, IsOneWord) {
  EXPECT_EQ(shell_word("runs/mine/2026-1"), "runs/mine/2026-1");
  EXPECT_EQ(shell_word("my data/a"), "'my data/a'");
  EXPECT_EQ(shell_word("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_word(""), "''");
  EXPECT_EQ(shell_word("mäander/a"), "'mäander/a'");
}

TEST(ShellWord, HoldsNothingThatATerminalObeys) {
  EXPECT_EQ(shell_word("a\x1b[31mb"), "$'a\\x1b[31mb'");
  EXPECT_EQ(shell_word("it's\na\\b"), "$'it\\'s\\x0aa\\\\b'");
}

}  // namespace
}  // namespace nephron::host
