#include <nephron/value.hpp>

#include <cmath>
#include <cstdlib>
#include <limits>

#include <gtest/gtest.h>

#include <nephron/error.hpp>

namespace nephron {
namespace {

TEST(Value, PrintsAsToml) {
  EXPECT_EQ(Value(true).str(), "true");
  EXPECT_EQ(Value(-7).str(), "-7");
  EXPECT_EQ(Value(1.0).str(), "1.0");
  EXPECT_EQ(Value(1e-3).str(), "0.001");
  EXPECT_EQ(Value(1e30).str(), "1e+30");
  EXPECT_EQ(Value(std::numeric_limits<double>::infinity()).str(), "inf");
  EXPECT_EQ(Value("a \"b\"\n\\").str(), "\"a \\\"b\\\"\\n\\\\\"");
  EXPECT_EQ(Value(std::string("\x01", 1)).str(), "\"\\u0001\"");
  EXPECT_EQ(Value(Value::Array{1, "x"}).str(), "[1, \"x\"]");
  Value table;
  table.set("a key", 1);
  table.set("b", Value(Value::Table{}));
  EXPECT_EQ(table.str(), "{ \"a key\" = 1, b = {} }");
}

TEST(Value, RealsPrintShortAndReadBackEqual) {
  for (const double v : {0.1, 1.0 / 3, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 0.66437738, 1e-8})
    EXPECT_EQ(std::strtod(Value(v).str().c_str(), nullptr), v) << Value(v).str();
  EXPECT_EQ(Value(0.1).str(), "0.1");
}

TEST(Value, WrongTypeSaysBoth) {
  try {
    Value("x").integer();
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "expected an integer, got a string");
  }
}

TEST(Value, SetReplacesInPlaceAndKeepsOrder) {
  Value v;
  v.set("b", 1);
  v.set("a", 2);
  v.set("b", 3);
  ASSERT_EQ(v.table().size(), 2u);
  EXPECT_EQ(v.table()[0].key, "b");
  EXPECT_EQ(v.find("b")->integer(), 3);
  EXPECT_EQ(v.find("c"), nullptr);
  EXPECT_EQ(Value(3).find("c"), nullptr);
}

TEST(Value, EqualityIgnoresSources) {
  Value a(1), b(1);
  a.source.line = 7;
  EXPECT_EQ(a, b);
  EXPECT_FALSE(Value(1) == Value(1.0));
}

TEST(Source, TellsWhatItKnows) {
  const auto file = std::make_shared<const std::string>("a.toml");
  EXPECT_EQ((Source{file, 3, 9}.str()), "a.toml:3:9");
  EXPECT_EQ((Source{file, 0, 0}.str()), "a.toml");
  EXPECT_EQ(Source{}.str(), "");
}

TEST(Nearest, FindsSlipsAndLeavesStrangersAlone) {
  const std::vector<std::string> names{"gamma", "alpha", "learning_rate", "efficientnet-b1", "efficientnet-b2"};
  EXPECT_EQ(nearest("gama", names), "gamma");
  EXPECT_EQ(nearest("agmma", names), "gamma");
  EXPECT_EQ(nearest("learnign_rat", names), "learning_rate");
  EXPECT_EQ(nearest("efficientnet-b2x", names), "efficientnet-b2");
  EXPECT_EQ(nearest("zzzzz", names), "");
  EXPECT_EQ(nearest(std::string(100000, 'a'), names), "");
  EXPECT_EQ(nearest("", {}), "");
}

}  // namespace
}  // namespace nephron
