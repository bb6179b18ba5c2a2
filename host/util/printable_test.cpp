#include <host/util/printable.hpp>

#include <gtest/gtest.h>

namespace nephron::host {
namespace {

TEST(Printable, KeepsTextAndItsLines) {
  for (const char* text : {"", "plain\n\tindented", "Glomérulos, 腎, \xf0\x9f\x94\xac"})
    EXPECT_EQ(printable(text), text);
  EXPECT_EQ(printable_name("two\nlines\tand a tab"), "two\\nlines\\tand a tab");
}

TEST(Printable, EscapesWhatATerminalObeys) {
  EXPECT_EQ(printable("\x1b[2Jgone\r\b\x7f"), "\\x1b[2Jgone\\x0d\\x08\\x7f");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\xc2\\x9b31m")
      << "a C1 control in UTF-8";
  EXPECT_EQ(printable("a\xe2\x80\xae"
                      "b"),
            "a\\xe2\\x80\\xaeb")
      << "right-to-left override";
  EXPECT_EQ(printable(std::string("a\0b", 3)), "a\\x00b");
}

TEST(Printable, EscapesWhatIsNoText) {
  EXPECT_EQ(printable("\x9b"
                      "31m \xff \xc3"),
            "\\x9b31m \\xff \\xc3");
  EXPECT_EQ(printable("\xc0\x9b \xed\xa0\x80 \xf4\x90\x80\x80"), "\\xc0\\x9b \\xed\\xa0\\x80 \\xf4\\x90\\x80\\x80")
      << "too long, half of a pair, beyond the last";
}

TEST(Printable, NumbersAsPeopleWriteThem) {
  EXPECT_EQ(short_number(0.8999999824), "0.9");
  EXPECT_EQ(short_number(1.976284584980237), "1.97628");
  EXPECT_EQ(short_number(2), "2");
}

}  // namespace
}  // namespace nephron::host
