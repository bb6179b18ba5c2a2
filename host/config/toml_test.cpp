// Hostile files: every one ends in a value or in one ConfigError.
#include <random>

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <host/config/fake_components.hpp>
#include <host/config/show.hpp>

#include <tests/support/scratch_folder.hpp>

namespace nephron::host {
namespace {

using testing::HasSubstr;

std::string fault_of(const std::string& text) {
  try {
    parse_toml(text, "x.toml");
    return "good";
  } catch (const ConfigError& e) {
    EXPECT_EQ(e.faults().size(), 1u);
    return e.what();
  }
}

std::string repeat(const std::string& part, int n) {
  std::string out;
  for (int i = 0; i < n; ++i) out += part;
  return out;
}

TEST(Toml, KeepsOrderAndPlaces) {
  const Value v = parse_toml("z = 1\n[m.n]\ny = [1,\n  { q = 2 }]\na.b = 3\n[[l]]\n", "x.toml");
  ASSERT_EQ(v.table().size(), 3u);
  EXPECT_EQ(v.table()[0].key, "z");
  EXPECT_EQ(v.table()[1].key, "m");
  EXPECT_EQ(v.find("m")->find("n")->find("y")->array()[1].find("q")->source.str(), "x.toml:4:9");
  EXPECT_EQ(v.find("m")->find("n")->find("a")->find("b")->source.str(), "x.toml:5:7");
}

// A pipe in the place of a run's experiment would be waited for, by every look at the runs.
TEST(Toml, IsReadFromPlainFilesAlone) {
  const ScratchFolder scratch("toml");
  const std::filesystem::path pipe = scratch.path() / "experiment.resolved.toml";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT([&] { parse_toml(pipe); }, testing::ThrowsMessage<ConfigError>(HasSubstr("is no plain file")));
}

TEST(Toml, RefusesWhatNoExperimentHolds) {
  EXPECT_THAT(fault_of("a = 1979-05-27"), HasSubstr("x.toml:1:5: error: dates and times"));
  EXPECT_THAT(fault_of("a = 1\na = 2"), HasSubstr("x.toml:2:"));
  EXPECT_THAT(fault_of("a = 1\nb = [1, 2\n"), HasSubstr("x.toml:"));
  EXPECT_THAT(fault_of(std::string("a = 1\n\0", 7)), HasSubstr("x.toml:2:1: error: a zero byte"));
  EXPECT_THAT(fault_of("a = \"\xff\xfe\""), HasSubstr("x.toml:1:"));
  EXPECT_THAT(fault_of(std::string(std::size_t{5} << 20, ' ')), HasSubstr("at most 4194304"));
  EXPECT_THAT(fault_of("x = " + repeat("[", 100000)), HasSubstr("x.toml:1:37: error: nested more than 32 deep"));
  EXPECT_THAT(fault_of("x = " + repeat("{a=", 100000)), HasSubstr("nested more than 32 deep"));
  EXPECT_THAT(fault_of(repeat("a.", 500000) + "b = 1"), HasSubstr("more than 16 dots"));
  EXPECT_THAT(fault_of("[" + repeat("a.", 500000) + "b]"), HasSubstr("more than 16 dots"));
  EXPECT_THAT(fault_of(repeat("\"a\" . ", 100) + "b = 1"), HasSubstr("more than 16 dots"));
}

TEST(Toml, BoundsTheKeysOfATable) {
  std::string text;
  for (int i = 0; i < 20000; ++i) text += "k" + std::to_string(i) + "=1\n";
  EXPECT_THAT(fault_of(text), HasSubstr("more than 10000 keys"));
}

TEST(Toml, TextInStringsAndCommentsIsNotCounted) {
  EXPECT_EQ(fault_of("# " + repeat("[", 100)), "good");
  EXPECT_EQ(fault_of("a = \"" + repeat("[.", 100) + "\""), "good");
  EXPECT_EQ(fault_of("a = '''\n" + repeat("[.", 100) + "\n'''"), "good");
  EXPECT_EQ(fault_of("a = \"\"\"\\\"\"\"" + repeat("{.", 100) + "\"\"\""), "good");
  EXPECT_EQ(fault_of("a = \"" + std::string(1 << 20, 'x') + "\""), "good");
  EXPECT_EQ(fault_of(""), "good");
}

class HostileFile : public ConfigTest {
 protected:
  /// Whatever happens, it happens as a value or as faults whose report can be printed.
  void try_one(const std::string& text) {
    write("x.toml", text);
    load("x.toml");
    if (faults.empty()) ++good_ones;
    else EXPECT_FALSE(report(faults).empty());
  }
  int good_ones = 0;
};

TEST_F(HostileFile, EveryTruncationEndsWell) {
  for (std::size_t n = 0; n < good.size(); ++n) try_one(good.substr(0, n));
  EXPECT_LT(good_ones, 20);
}

TEST_F(HostileFile, FiveThousandMutationsEndWell) {
  std::mt19937_64 random(20260101);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  // A line an item says no more.
  // clang-format off
  const std::vector<std::string> parts{
      "[", "]", "{", "}", "=", ".", "\"", "'", "\"\"\"", "\n", "\\u0000", "${", "}", "nan", "-inf", "1e999",
      "99999999999999999999", "0x7fffffffffffffff", "-9223372036854775808", "\xff", "\xf0\x9f\x92\xa9", "type", "of",
      "extends = \"x.toml\"\n"};
  // clang-format on
  for (int round = 0; round < 5000; ++round) {
    std::string text = good;
    for (std::size_t edits = 1 + below(4); edits > 0; --edits) {
      const std::size_t at = below(text.size() + 1);
      switch (below(4)) {
        case 0:
          text.insert(at, parts[below(parts.size())]);
          break;
        case 1:
          text.erase(at, 1 + below(12));
          break;
        case 2:
          text.insert(at, text.substr(below(text.size() + 1), below(60)));
          break;
        default:
          if (at < text.size()) text[at] = static_cast<char>(random());
      }
      if (text.empty()) text = "\n";
    }
    try_one(text);
  }
  EXPECT_GT(good_ones, 50);    // comments of nothing: some edits are harmless
  EXPECT_LT(good_ones, 2500);  // most are not
}

TEST_F(HostileFile, RandomBytesEndWell) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 500; ++round) {
    std::string text(random() % 400, '\0');
    for (char& c : text) c = static_cast<char>(1 + random() % 255);
    try_one(text);
  }
  EXPECT_EQ(good_ones, 0);
}

}  // namespace
}  // namespace nephron::host
