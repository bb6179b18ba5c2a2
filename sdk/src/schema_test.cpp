#include <nephron/schema.hpp>

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/error.hpp>

namespace nephron {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Inner {
  int depth = 5;
  static void describe(Schema<Inner>& s) { s.field("depth", &Inner::depth, "how deep").range(1, 9).unit("levels"); }
};

struct Params {
  bool on = true;
  int count = 3;
  std::uint8_t byte = 0;
  double rate = 0.5;
  std::string mode = "fast";
  std::filesystem::path file;
  std::optional<double> limit;
  std::vector<int> sizes{1, 2};
  std::array<double, 2> pair{1, 2};
  Inner inner;
  std::vector<Inner> many;
  std::string id;

  static void describe(Schema<Params>& s) {
    s.field("on", &Params::on, "a switch");
    s.field("count", &Params::count, "a number").at_least(1);
    s.field("byte", &Params::byte, "a small number");
    s.field("rate", &Params::rate, "a share").range(0, 1);
    s.field("mode", &Params::mode, "a way").choices({"fast", "slow"});
    s.field("file", &Params::file, "a file").must_exist();
    s.field("limit", &Params::limit, "unset by default").at_least(0);
    s.field("sizes", &Params::sizes, "a list").range(0, 10);
    s.field("pair", &Params::pair, "two");
    s.field("inner", &Params::inner, "a table");
    s.field("many", &Params::many, "tables");
    s.field("id", &Params::id, "needed").required();
  }
  void validate() const {
    if (count > 100 && mode == "fast") throw Error("\"count\" above 100 needs mode = \"slow\"");
  }
};

Value table(std::initializer_list<std::pair<const char*, Value>> members) {
  Value out{Value::Table{}};
  for (const auto& [key, value] : members) out.set(key, value);
  return out;
}

std::vector<std::string> faults_of(const Value& v) {
  Diagnostics faults;
  DecodeContext context{faults};
  schema_of<Params>().decode(v, context);
  std::vector<std::string> out;
  for (const Diagnostic& d : faults) out.push_back(d.message + (d.hint.empty() ? "" : " | " + d.hint));
  return out;
}

TEST(Schema, AKeyOfTheTableAroundIsToldAsThat) {
  FieldInfo share;
  share.name = "share";
  const std::vector<FieldInfo> others{share};
  Diagnostics faults;
  DecodeContext context{faults, nullptr, &others};
  schema_of<Params>().check(table({{"id", "a"}, {"inner", table({{"share", 1}, {"deph", 2}})}}), context);
  ASSERT_EQ(faults.size(), 2U);
  EXPECT_EQ(faults[0].hint, "it belongs to the table around this one");
  EXPECT_EQ(faults[1].hint, "did you mean \"depth\"?");
}

TEST(Schema, DefaultsAreTheMembersOwn) {
  Diagnostics faults;
  DecodeContext context{faults};
  const Params p = schema_of<Params>().decode(table({{"id", "x"}}), context);
  EXPECT_TRUE(faults.empty());
  EXPECT_EQ(p.count, 3);
  EXPECT_EQ(p.sizes, (std::vector{1, 2}));
  EXPECT_FALSE(p.limit.has_value());
  EXPECT_EQ(p.inner.depth, 5);
}

TEST(Schema, ReadsEveryType) {
  Diagnostics faults;
  DecodeContext context{faults};
  const Params p = schema_of<Params>().decode(table({{"id", "x"},
                                                     {"on", false},
                                                     {"count", 7},
                                                     {"byte", 255},
                                                     {"rate", 1},
                                                     {"mode", "slow"},
                                                     {"limit", 2.5},
                                                     {"sizes", Value::Array{}},
                                                     {"pair", Value::Array{3, 4.5}},
                                                     {"inner", table({{"depth", 9}})},
                                                     {"many", Value::Array{table({}), table({{"depth", 2}})}}}),
                                              context);
  EXPECT_TRUE(faults.empty());
  EXPECT_FALSE(p.on);
  EXPECT_EQ(p.byte, 255);
  EXPECT_EQ(p.rate, 1.0);  // an integer is a number
  EXPECT_EQ(p.limit, 2.5);
  EXPECT_TRUE(p.sizes.empty());
  EXPECT_EQ(p.pair, (std::array{3.0, 4.5}));
  ASSERT_EQ(p.many.size(), 2u);
  EXPECT_EQ(p.many[1].depth, 2);
}

TEST(Schema, EveryFaultIsTold) {
  EXPECT_THAT(faults_of(table({{"id", 1}, {"count", 0}, {"rate", "x"}, {"mode", "fats"}, {"nope", 1}})),
              ElementsAre(HasSubstr("unknown key \"nope\""), "\"count\" must be in 1 to 2147483647, not 0",
                          "\"rate\" must be a number, not a string",
                          "\"mode\" must be one of \"fast\", \"slow\", not \"fats\" | did you mean \"fast\"?",
                          "\"id\" must be a string, not an integer"));
}

TEST(Schema, NumbersKeepToTheirTypeAndRange) {
  const auto one = [](const char* key, Value v) {
    const auto faults = faults_of(table({{"id", "x"}, {key, std::move(v)}}));
    return faults.empty() ? std::string() : faults[0];
  };
  EXPECT_EQ(one("byte", 256), "\"byte\" must be in 0 to 255, not 256");
  EXPECT_EQ(one("byte", -1), "\"byte\" must be in 0 to 255, not -1");
  EXPECT_EQ(one("count", 2.0), "\"count\" must be an integer, not a number");
  EXPECT_EQ(one("count", Value(std::int64_t{1} << 40)), "\"count\" must be in 1 to 2147483647, not 1099511627776");
  EXPECT_EQ(one("rate", std::numeric_limits<double>::quiet_NaN()), "\"rate\" must be a finite number, not nan");
  EXPECT_EQ(one("limit", std::numeric_limits<double>::infinity()), "\"limit\" must be a finite number, not inf");
  EXPECT_EQ(one("limit", -1), "\"limit\" must be at least 0, not -1");
  EXPECT_EQ(one("sizes", Value::Array{1, 11}), "\"sizes\" must be in 0 to 10, not 11");
  EXPECT_EQ(one("pair", Value::Array{1}), "\"pair\" must have 2 values, not 1");
  EXPECT_EQ(one("inner", table({{"depth", 10}})), "\"depth\" must be in 1 to 9 levels, not 10");
}

TEST(Schema, MissingKeysAndValidateAreTold) {
  EXPECT_THAT(faults_of(table({})), ElementsAre("\"id\" is missing | needed"));
  EXPECT_THAT(faults_of(table({{"id", "x"}, {"count", 101}})),
              ElementsAre("\"count\" above 100 needs mode = \"slow\""));
  // A key too many hides nothing; a value that could not be read might.
  EXPECT_THAT(faults_of(table({{"id", "x"}, {"count", 101}, {"nope", 1}})),
              ElementsAre(HasSubstr("unknown key \"nope\""), "\"count\" above 100 needs mode = \"slow\""));
  EXPECT_THAT(faults_of(table({{"id", "x"}, {"count", 101}, {"mode", 3}})),
              ElementsAre("\"mode\" must be a string, not an integer"));
  EXPECT_THAT(faults_of(Value(3)), ElementsAre("this must be a table, not an integer"));
}

TEST(Schema, PathsAreRelativeToTheirFileAndMustBeThere) {
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "nephron_schema_test";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "here.txt") << "x";
  const auto written_in = [&](const char* text) {
    Value path(text);
    path.source = {std::make_shared<const std::string>((folder / "sub" / "a.toml").string()), 2, 8};
    return table({{"id", "x"}, {"file", path}});
  };
  Diagnostics faults;
  DecodeContext context{faults};
  EXPECT_EQ(schema_of<Params>().decode(written_in("../here.txt"), context).file, folder / "here.txt");
  EXPECT_EQ(schema_of<Params>().decode(written_in("pypi:weights"), context).file, "pypi:weights");
  EXPECT_EQ(schema_of<Params>().decode(written_in(""), context).file, "");
  EXPECT_TRUE(faults.empty());
  schema_of<Params>().decode(written_in("../gone.txt"), context);
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults[0].message, "\"file\" names a file or folder that is not there: " + (folder / "gone.txt").string());
  std::filesystem::remove_all(folder);
}

TEST(Schema, EncodeReadsBackEqual) {
  Params p;
  p.id = "x";
  p.limit = 3;
  p.many.resize(2);
  const Value written = schema_of<Params>().encode(p);
  Diagnostics faults;
  DecodeContext context{faults};
  EXPECT_EQ(schema_of<Params>().encode(schema_of<Params>().decode(written, context)), written);
  EXPECT_TRUE(faults.empty());
}

TEST(Schema, NormalisedIsWhatWasWrittenWithTheDefaultsAndStaysSo) {
  const SchemaBase& schema = schema_of<Params>();
  Diagnostics faults;
  DecodeContext context{faults};
  const Value once = schema.normalised(table({{"id", "x"}, {"rate", 1}, {"inner", table({{"depth", 2}})}}), context);
  EXPECT_EQ(once.find("id")->string(), "x");
  EXPECT_TRUE(once.find("rate")->is(Value::Type::real));  // a number is written as one, however it was given
  EXPECT_EQ(once.find("inner")->find("depth")->integer(), 2);
  EXPECT_EQ(once.find("limit"), nullptr);  // what is unset stays unset
  for (const FieldInfo& f : schema.fields())
    if (f.name != "id" && f.name != "rate" && f.name != "inner" && f.name != "limit") {
      ASSERT_NE(once.find(f.name), nullptr) << f.name;
      EXPECT_EQ(*once.find(f.name), f.fallback) << f.name;
    }
  EXPECT_EQ(schema.normalised(once, context), once);
  EXPECT_TRUE(faults.empty());
  schema.normalised(table({{"id", "x"}, {"rate", 2}}), context);
  EXPECT_EQ(faults.size(), 1u);
}

struct Term {
  ComponentSpec component;
  double weight = 1;
  static void describe(Schema<Term>& s) {
    s.component(&Term::component, "loss");
    s.field("weight", &Term::weight, "factor");
  }
};

class Recorder final : public ComponentVisitor {
 public:
  void component(std::string_view kind, const ComponentSpec& spec, const Source&, const std::vector<FieldInfo>& own,
                 Diagnostics& faults) override {
    seen += std::string(kind) + " " + spec.type + " " + spec.params.str();
    DecodeContext context{faults, this, &own};
    schema_of<Inner>().check(spec.params, context);
  }
  std::string seen;
};

TEST(Schema, ComponentsShareATableWithTheirHolder) {
  Recorder recorder;
  Diagnostics faults;
  DecodeContext context{faults, &recorder};
  const Term term = schema_of<Term>().decode(table({{"type", "focal"}, {"weight", 2}, {"depth", 4}}), context);
  EXPECT_TRUE(faults.empty());
  EXPECT_EQ(recorder.seen, "loss focal { depth = 4 }");
  EXPECT_EQ(term.weight, 2);
  schema_of<Term>().decode(table({{"type", "focal"}, {"wieght", 2}}), context);
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults[0].hint, "did you mean \"weight\"?");  // a key of the holder
  schema_of<Term>().decode(table({{"weight", 2}}), context);
  ASSERT_EQ(faults.size(), 2u);
  EXPECT_EQ(faults[1].message, "the loss needs its name: type = \"NAME\"");
}

TEST(Schema, FieldsTellWhatTheyAre) {
  const auto& fields = schema_of<Params>().fields();
  EXPECT_EQ(fields[3].type, "float");
  EXPECT_EQ(fields[3].high, 1);
  EXPECT_EQ(fields[7].type, "array");
  EXPECT_EQ(fields[7].element->type, "int");
  EXPECT_EQ(fields[7].element->high, 10);
  EXPECT_EQ(fields[8].length, 2);
  EXPECT_EQ(fields[9].members[0].unit, "levels");
  EXPECT_TRUE(fields[11].required);
}

}  // namespace
}  // namespace nephron
