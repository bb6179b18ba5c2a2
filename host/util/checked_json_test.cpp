#include <host/util/checked_json.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/error.hpp>

namespace nephron::host {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

JsonNode of(const std::string& text) { return JsonNode::parse(text, "a.json", "Make it again."); }

TEST(CheckedJson, ReadsWhatIsThere) {
  const JsonNode root = of(R"({"a": {"b": [1, 2.5, -3]}, "t": "x", "on": true, "names": ["p", "q"]})");
  EXPECT_THAT(root.at("a").at("b").numbers(), ElementsAre(1, 2.5, -3));
  EXPECT_EQ(root.at("a").at("b").items()[2].integer(-5, 5), -3);
  EXPECT_EQ(root.at("t").text(), "x");
  EXPECT_TRUE(root.at("on").boolean());
  EXPECT_THAT(root.at("names").texts(), ElementsAre("p", "q"));
  EXPECT_FALSE(root.find("none"));
  EXPECT_EQ(root.members()[1].first, "t") << "in the file's order";
}

TEST(CheckedJson, SaysFilePlaceAndWhatWasExpected) {
  const JsonNode root = of(R"({"a": {"b": [1, "two"]}, "n": 2.7, "big": 18446744073709551615, "nothing": null})");
  const auto says = [](const std::string& text) { return ThrowsMessage<Error>(HasSubstr(text)); };
  EXPECT_THAT([&] { root.at("a").at("b").numbers(); }, says("a.json: a.b[1] is a text; a number was expected"));
  EXPECT_THAT([&] { root.at("n").integer(0, 9); }, says("a.json: n is 2.7; a whole number from 0 to 9"));
  EXPECT_THAT([&] { root.at("big").integer(0, INT64_MAX); }, says("big is 18446744073709551615"));
  EXPECT_THAT([&] { root.at("n").number(0, 1); }, says("from 0.0 to 1.0 was expected"));
  EXPECT_THAT([&] { root.at("none"); }, says("a.json: the file has no \"none\""));
  EXPECT_THAT([&] { root.at("n").at("deeper"); }, says("n is 2.7; an object was expected"));
  EXPECT_THAT([&] { root.at("nothing").text(); }, says("nothing is null; a text was expected"));
}

TEST(CheckedJson, RefusesWhatIsNoJson) {
  EXPECT_THAT([] { of(""); }, ThrowsMessage<Error>(HasSubstr("a.json is empty")));
  EXPECT_THAT([] { of("{\"a\": 1"); }, ThrowsMessage<Error>(HasSubstr("a.json is damaged")));
  EXPECT_THAT([] { of(std::string("{\"a\": \"\xff\"}")); }, ThrowsMessage<Error>(HasSubstr("is not JSON")));
  EXPECT_THAT([] { of("{\"a\": 1e999}"); }, ThrowsMessage<Error>(HasSubstr("out of range")));
  EXPECT_NO_THROW(of(std::string(100000, '[') + std::string(100000, ']'))) << "deep nesting takes no stack";
  try {
    of("[");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.hint(), "Make it again.");
  }
}

}  // namespace
}  // namespace nephron::host
