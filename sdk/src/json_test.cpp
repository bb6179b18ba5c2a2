#include <nephron/json.hpp>

#include <filesystem>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tests/support/damaged.hpp>
#include <tests/support/error_of.hpp>
#include <tests/support/put_file.hpp>

namespace nephron {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;
using Type = Value::Type;

std::string fault(std::string_view text, int deepest = 64) {
  return error_of([&] { parse_json(text, "a.json", deepest); });
}

TEST(Json, ReadsWhatJsonCanSay) {
  const Value v =
      parse_json("\xEF\xBB\xBF{\"b\": [1, -2.5, 1e3, true, null], \"a\": {\"x\": \"\\u00e9\\n\"}, \"\": []}", "a.json");
  EXPECT_EQ(v.find("b")->array(), (Value::Array{1, -2.5, 1000.0, true, Value()}));
  EXPECT_EQ(v.find("a")->find("x")->string(), "\xC3\xA9\n");
  EXPECT_EQ(v.table()[0].key, "b");  // in the file's order
  EXPECT_TRUE(v.find("")->array().empty());
  EXPECT_EQ(parse_json(" 7 ", "a.json").integer(), 7);
}

TEST(Json, WholeNumbersBeyondSixtyFourBitsAreReal) {
  const Value v = parse_json("[9223372036854775807, -9223372036854775808, 9223372036854775808, 1e30]", "a.json");
  EXPECT_EQ(v.array()[0].integer(), INT64_MAX);
  EXPECT_EQ(v.array()[1].integer(), INT64_MIN);
  EXPECT_TRUE(v.array()[2].is(Type::real));
  EXPECT_EQ(v.array()[2].number(), 9223372036854775808.0);
}

TEST(Json, FaultsNameFileAndByte) {
  EXPECT_THAT(fault(""), StartsWith("a.json: byte 1: this is no JSON: parse error at line 1, column 1"));
  EXPECT_THAT(fault("[1,\n2"), AllOf(StartsWith("a.json: byte 6: "), HasSubstr("line 2, column 2")));
  EXPECT_THAT(fault("[1] 2"), StartsWith("a.json: byte 5: this is no JSON"));
  EXPECT_THAT(fault("[1e400]"), AllOf(StartsWith("a.json: byte "), HasSubstr("1e400")));
  EXPECT_THAT(fault("[NaN]"), StartsWith("a.json: byte 2: "));
  EXPECT_THAT(fault("[\"\xff\"]"), HasSubstr("UTF-8"));
  EXPECT_EQ(fault("{\"a\": 1, \"b\": 2, \"a\": 3}"), "a.json: byte 24: the object that ends here has \"a\" twice");
}

TEST(Json, DeepTextIsRefusedBeforeTheStackIs) {
  EXPECT_EQ(fault(std::string(1 << 20, '[')), "a.json: byte 65: lists and objects are nested more than 64 deep");
  EXPECT_THAT(fault("{\"a\":{\"a\":{\"a\":{}}}}", 3), HasSubstr("byte 16: lists and objects are nested more than 3"));
  EXPECT_EQ(fault("[[[]]]", 3), "no error");
}

TEST(Json, FilesAreReadUpToASize) {
  const fs::path file = fs::temp_directory_path() / ("nephron_json_" + std::to_string(getpid()) + ".json");
  put_file(file, "[1, 2]");
  EXPECT_EQ(read_json(file).array().size(), 2U);
  EXPECT_THAT(error_of([&] { read_json(file, 5); }), AllOf(HasSubstr(file.string()), HasSubstr("6 bytes")));
  put_file(file, "");
  EXPECT_THAT(error_of([&] { read_json(file); }), HasSubstr(file.string() + ": byte 1"));
  fs::remove(file);
  EXPECT_THAT(error_of([&] { read_json(file); }), HasSubstr("cannot read " + file.string()));
  EXPECT_THAT(error_of([&] { read_json(fs::temp_directory_path()); }), HasSubstr("cannot read "));
}

TEST(Json, MembersHaveTheTypeThatIsAskedFor) {
  const Value v = parse_json("{\"n\": 3, \"r\": 2.5, \"t\": \"x\", \"z\": null}", "a.json");
  const auto wrong = [&](const Value& of, const char* key, Type type) {
    return error_of([&] { json_member(of, key, type, "a.json: image 1"); });
  };
  EXPECT_EQ(json_member(v, "n", Type::integer, "").integer(), 3);
  EXPECT_EQ(json_member(v, "n", Type::real, "").number(), 3);
  EXPECT_EQ(wrong(v, "r", Type::integer), "a.json: image 1: \"r\" is a number; expected a whole number");
  EXPECT_EQ(wrong(v, "z", Type::array), "a.json: image 1: \"z\" is null; expected a list");
  EXPECT_EQ(wrong(v, "q", Type::string), "a.json: image 1: there is no \"q\"");
  EXPECT_EQ(wrong(Value(3), "q", Type::string), "a.json: image 1: expected an object, found a whole number");
}

TEST(Json, DamagedTextIsReadOrRefused) {
  const std::string sound = R"({"a": [1, 2.5, {"b": "text", "c": null}], "d": {"e": [[], {}], "f": true}})";
  const Outcomes found = read_damaged(5000, {sound}, json_damage(), StartsWith("a.json: byte "),
                                      [](const std::string& text) { parse_json(text, "a.json"); });
  EXPECT_GT(found.refused, 2500);
  EXPECT_GT(found.read, 10);
}

}  // namespace
}  // namespace nephron
