#include <nephron/csv.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tests/support/damaged.hpp>
#include <tests/support/error_of.hpp>

namespace nephron {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Csv, ReadsQuotesLineEndsAndAByteOrderMark) {
  const CsvTable t =
      CsvTable::parse("\xEF\xBB\xBFid,encoding,\"a \"\"b\"\"\"\r\n1,\"x,y\nz\",\r\n\r\n2,,\"\"", "f.csv");
  EXPECT_THAT(t.columns(), ElementsAre("id", "encoding", "a \"b\""));
  ASSERT_EQ(t.rows(), 2U);
  EXPECT_EQ(t.cell(0, t.column("encoding")), "x,y\nz");
  EXPECT_EQ(t.cell(0, 2), "");
  EXPECT_EQ(t.where(0), "f.csv:2");
  EXPECT_EQ(t.where(1), "f.csv:5");  // the quoted field has a line end, and an empty line follows
  EXPECT_FALSE(t.find_column("none").has_value());
}

TEST(Csv, TellsNumbers) {
  const CsvTable t = CsvTable::parse("w,h\n 49780 ,\n1e3,x\n", "f.csv");
  EXPECT_EQ(t.number(0, 0), 49780);
  EXPECT_FALSE(t.number(0, 1).has_value());
  EXPECT_EQ(t.number(1, 0), 1000);
  EXPECT_EQ(error_of([&] { (void)t.number(1, 1); }), "f.csv:3, column \"h\": \"x\" is not a number");
}

TEST(Csv, SaysWhatIsWrongAndWhere) {
  const auto fault = [](std::string_view text) { return error_of([&] { CsvTable::parse(text, "f.csv"); }); };
  EXPECT_EQ(fault(""), "f.csv is empty; expected a CSV file with a line of column names");
  EXPECT_EQ(fault("a,b,a\n"), "f.csv:1: column \"a\" is named twice");
  EXPECT_EQ(fault("a,b\n1,2\n1\n"), "f.csv:3: the row has 1 fields; expected 2, as in the first line");
  EXPECT_EQ(fault("a,b\n1,\"2\n\n"), "f.csv:2: a quote is opened and never closed");
  EXPECT_THAT(fault("a,b\n\"1\"x,2\n"), HasSubstr("f.csv:2: text stands behind a closing quote"));
  const CsvTable t = CsvTable::parse("id,predicted\n", "f.csv");
  EXPECT_EQ(error_of([&] {
              t.require_columns({"id", "encoding", "size"});
            }),
            "f.csv:1: there is no column \"encoding\", \"size\"; the file has \"id\", \"predicted\"");
  EXPECT_THAT(error_of([&] { (void)t.column("encoding"); }), HasSubstr("no column \"encoding\""));
  EXPECT_THAT(error_of([] { CsvTable::read("/nowhere/at/all.csv"); }), HasSubstr("/nowhere/at/all.csv"));
}

TEST(Csv, DamagedTextIsReadOrRefused) {
  const Damage damage{std::string("\",\r\n\"ab1 \xff\0", 11), {"\"\"", "\r\n\r\n", "99999999999999999999"}};
  const Outcomes found = read_damaged(6000, {"id,encoding\r\n2f6,\"1 3 10 1\"\r\n\"a\"\"b\",\r\nc68,1 1\r\n"}, damage,
                                      testing::StartsWith("f.csv"), [](const std::string& text) {
                                        const CsvTable t = CsvTable::parse(text, "f.csv");
                                        for (std::size_t row = 0; row < t.rows(); ++row)
                                          for (std::size_t c = 0; c < t.columns().size(); ++c) (void)t.cell(row, c);
                                      });
  EXPECT_GT(found.refused, 1000);
  EXPECT_GT(found.read, 100);
}

}  // namespace
}  // namespace nephron
