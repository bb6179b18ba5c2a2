#include <nephron/folder_name.hpp>

#include <gtest/gtest.h>

namespace nephron {
namespace {

TEST(FolderName, IsOneFolderWhateverTheName) {
  EXPECT_EQ(folder_name("glomerulus"), "glomerulus");
  EXPECT_EQ(folder_name("a b/../c"), "a_b_.._c");
  EXPECT_EQ(folder_name("v1.0-x_y"), "v1.0-x_y");
  EXPECT_EQ(folder_name(".."), "_..");
  EXPECT_EQ(folder_name(""), "_");
  EXPECT_EQ(folder_name(std::string_view("a\0b\n", 4)), "a_b_");
}

TEST(FolderName, KeepsOtherScriptsApart) {
  EXPECT_EQ(folder_name("glomérule"), "glomérule");
  EXPECT_NE(folder_name("肾小球"), folder_name("肾小管"));
}

TEST(FolderName, CanFallTogether) { EXPECT_EQ(folder_name("a b"), folder_name("a/b")); }

}  // namespace
}  // namespace nephron
