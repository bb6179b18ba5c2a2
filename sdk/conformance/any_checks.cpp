#include <cmath>

#include <conformance/bench.hpp>
#include <conformance/kind_checks.hpp>

namespace nephron::conformance {

namespace {

Diagnostics faults_of(const Subject& s, const Value& table) {
  Diagnostics faults;
  DecodeContext context{faults};
  s.schema->check(table, context);
  return faults;
}

Value defaults_of(const Subject& s) {
  Value table{Value::Table{}};
  for (const FieldInfo& f : s.schema->fields())
    if (!f.fallback.is(Value::Type::null)) table.set(f.name, f.fallback);
  if (s.params.is(Value::Type::table))
    for (const Value::Member& m : s.params.table()) table.set(m.key, m.value);
  return table;
}

void require_documented(const FieldInfo& f, const std::string& path) {
  expect(!f.name.empty() && f.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos,
         [&] { return "parameter \"" + path + "\" has a name that is not of a-z, 0-9 and _"; });
  expect(!f.doc.empty(), [&] { return "parameter \"" + path + "\" has no description"; });
  expect(f.low <= f.high, [&] { return "parameter \"" + path + "\" has an empty range"; });
  for (const FieldInfo& m : f.members) require_documented(m, path + "." + m.name);
}

void check_schema(const Subject& s) {
  const std::vector<FieldInfo>& fields = s.schema->fields();
  for (std::size_t i = 0; i < fields.size(); ++i) {
    require_documented(fields[i], fields[i].name);
    expect(fields[i].name != "type" && fields[i].name != "p" && fields[i].name != "weight",
           [&] { return "parameter \"" + fields[i].name + "\" has a name that the experiment file uses itself (type, p, weight)"; });
    for (std::size_t k = 0; k < i; ++k)
      expect(fields[k].name != fields[i].name, [&] { return "two parameters are named \"" + fields[i].name + "\""; });
  }
}

void check_defaults(const Subject& s) {
  for (const FieldInfo& f : s.schema->fields())
    if (f.required && s.params.find(f.name) == nullptr) throw Skipped("needs --set " + f.name + "=... (" + f.doc + ")");
  const Value written = defaults_of(s);
  const Diagnostics faults = faults_of(s, written);
  expect(faults.empty(), [&] { return "its own defaults, written out, are refused: " + faults.front().message; });
  BenchContext context(s);
  s.make_component(context);
  expect(s.create(written, context) != nullptr, "with its defaults written out, its factory gave no object");
}

void check_refusals(const Subject& s) {
  Value table = defaults_of(s);
  table.set("no_such_parameter", Value(1));
  expect(!faults_of(s, table).empty(), "an unknown key is taken without a word");
  for (const FieldInfo& f : s.schema->fields()) {
    const auto refuses = [&](Value v, const char* what) {
      Value wrong = defaults_of(s);
      const std::string text = v.str();
      wrong.set(f.name, std::move(v));
      expect(!faults_of(s, wrong).empty(), [&] { return "parameter \"" + f.name + "\" takes " + what + ": " + text; });
    };
    if (f.type == "int" || f.type == "float") {
      refuses(Value("three"), "a string for a number");
      if (std::isfinite(f.low) && f.low > -1e15) refuses(f.type == "int" ? Value(static_cast<std::int64_t>(f.low) - 1) : Value(f.low - 1 - std::abs(f.low)), "a value below its range");
      if (std::isfinite(f.high) && f.high < 1e15) refuses(f.type == "int" ? Value(static_cast<std::int64_t>(f.high) + 1) : Value(f.high + 1 + std::abs(f.high)), "a value above its range");
    }
    if (f.type == "float") refuses(Value(std::nan("")), "not-a-number");
    if (f.type == "bool") refuses(Value(1), "a number for true or false");
    if (f.type == "string" || f.type == "path") refuses(Value(1), "a number for a string");
    if (!f.choices.empty() && f.type == "string") refuses(Value("no such choice"), "what is not among its choices");
  }
}

void check_randomness(const Subject& s) {
  for (const std::string& symbol : s.imports) {
    expect(symbol.find("random_device") == std::string::npos,
           "the plugin uses std::random_device; random numbers come from the Rng that is handed in (SDK rule 5)");
    expect(symbol != "getrandom" && symbol != "getentropy" && symbol != "arc4random",
           [&] { return "the plugin uses " + symbol + "(); random numbers come from the Rng that is handed in (SDK rule 5)"; });
  }
  // Modules draw their first weights from LibTorch's generator, which the host seeds.
  RandomWatch watch(s.kind != "encoder" && s.kind != "decoder");
  BenchContext context(s);
  s.make_component(context);
  watch.require_untouched();
}

}  // namespace

std::vector<Check> any_checks() {
  return {
      {"schema", "every parameter has a name, a description and a range that is not empty", &check_schema},
      {"defaults", "the defaults, written out, are accepted, and the component can be made from them", &check_defaults},
      {"refusals", "unknown keys, wrong types and values out of range are refused", &check_refusals},
      {"making", "making the component draws no random numbers from outside", &check_randomness},
  };
}

}  // namespace nephron::conformance
