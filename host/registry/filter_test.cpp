#include <host/registry/filter.hpp>

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <host/registry/metrics_tail.hpp>
#include <host/util/usage_error.hpp>
#include <tests/support/damaged.hpp>
#include <tests/support/error_of.hpp>
#include <tests/support/put_file.hpp>
#include <tests/support/scratch_folder.hpp>

namespace nephron::host {
namespace {

using testing::HasSubstr;

const std::map<std::string, FactValue> run{{"dice", 0.9},
                                           {"epochs", std::int64_t{40}},
                                           {"user", std::string("anna b")},
                                           {"started", std::string("2026-01-31T12:00:00+0100")},
                                           {"tag", std::string("good\nbaseline")}};

bool matches(const std::string& text) {
  const Filter filter = Filter::parse(text);
  return filter.matches([&](std::size_t i) -> const FactValue* {
    const auto found = run.find(filter.keys()[i]);
    return found == run.end() ? nullptr : &found->second;
  });
}

TEST(Filter, ComparesNumbersAsNumbersAndTheRestAsText) {
  for (const char* text :
       {"dice=0.90", "dice>=9e-1", "epochs<1e3", "epochs=40.0", "user='anna b'", "started>2026-01-02", "started ~ T12",
        "dice != 1", "user != anna", "epochs ~ 4", "user>anna"})
    EXPECT_TRUE(matches(text)) << text;
  for (const char* text : {"dice>0.9", "epochs=4", "user=anna", "epochs != 4e1", "started<2026"})
    EXPECT_FALSE(matches(text)) << text;
}

TEST(Filter, BindsAndCloserThanOr) {
  EXPECT_TRUE(matches("dice>0 or dice>0 and dice<0"));
  EXPECT_FALSE(matches("(dice>0 or dice>0) and dice<0"));
  EXPECT_TRUE(matches("not dice<0 and not(epochs=1)"));
  EXPECT_FALSE(matches("not not dice<0"));
}

TEST(Filter, WhatIsNotThereIsNeitherTrueNorFalse) {
  for (const char* text : {"lr<1", "not lr<1", "lr != 1", "lr<1 and dice>0", "not (lr<1 or dice<0)"})
    EXPECT_FALSE(matches(text)) << text;
  for (const char* text : {"lr<1 or dice>0", "not (lr<1 and dice<0)"}) EXPECT_TRUE(matches(text)) << text;
}

TEST(Filter, ATagIsOneOfSeveral) {
  for (const char* text : {"tag=good", "tag=baseline", "tag~base", "tag!=bad"}) EXPECT_TRUE(matches(text)) << text;
  for (const char* text : {"tag=goo", "tag!=good", "tag~'good baseline'"}) EXPECT_FALSE(matches(text)) << text;
}

TEST(Filter, WordsOfTheLanguageMayBeginKeys) {
  EXPECT_EQ(Filter::parse("order=1 and notes=2 or android>3").keys(),
            (std::vector<std::string>{"order", "notes", "android"}));
}

TEST(Filter, ShowsThePlaceOfAFault) {
  EXPECT_THAT(error_of([] { Filter::parse("dice>0.9 and"); }), HasSubstr("dice>0.9 and\n              ^"));
  const Filter filter = Filter::parse("dice>0 or lr<1");
  EXPECT_THAT(error_and_hint_of([&] {
                filter.require_known({"dice", "train.optimizer.lr"});
              }),
              HasSubstr("dice>0 or lr<1\n            ^ | did you mean \"train.optimizer.lr\"?"));
}

TEST(Filter, AnyTextIsReadOrRefused) {
  const Damage damage{"()<>=!~\"' andornot.é\n", {"and ", "or ", "not ", "((((", "'"}, 6};
  read_damaged(20000, {"train.optimizer.lr<1e-3 and (dice > 0.9 or tag = baseline) and not user = 'anna b'"}, damage,
               HasSubstr("the filter"), [](const std::string& text) {
                 const Filter filter = Filter::parse(text);
                 filter.matches([](std::size_t) { return nullptr; });
               });
}

class MetricsTails : public testing::Test {
 protected:
  MetricsTail tail_of(const std::string& text) {
    put_file(file_, text);
    return read_metrics_tail(file_);
  }
  const ScratchFolder scratch_{"tail"};
  const std::filesystem::path file_ = scratch_.path() / "metrics.jsonl";
};

TEST_F(MetricsTails, LastLineAndLastValidation) {
  const MetricsTail tail =
      tail_of("{\"step\":1,\"dice\":0.25}\n{\"step\":2,\"dice\":0.5,\"loss\":\"nan\"}\n{\"step\":3,\"loss\":1}\n{\"st");
  EXPECT_EQ(tail.step, 3);
  EXPECT_THAT(*tail.last, testing::Contains(testing::Pair("loss", 1.0)));
  EXPECT_THAT(*tail.validation, testing::Contains(testing::Pair("dice", 0.5)));
}

TEST_F(MetricsTails, NothingYet) {
  for (const char* text : {"", "{\"step\"", "{\"step\":1}"}) EXPECT_FALSE(tail_of(text).step) << text;
}

TEST_F(MetricsTails, AnyTextIsReadOrRefused) {
  std::string lines;
  for (int i = 1; i < 1000; ++i)
    lines += "{\"step\":" + std::to_string(i) + (i % 400 == 0 ? ",\"dice\":0.5}\n" : ",\"loss\":0.1}\n");
  read_damaged(2000, {lines, lines.substr(0, 3000)}, {"{}\":,\n0", {"\n", "\n\n", "null", "[1]"}, 8},
               HasSubstr("metrics.jsonl"), [&](const std::string& text) { tail_of(text); });
}

}  // namespace
}  // namespace nephron::host
