#include <cmath>
#include <optional>

#include <nephron/experiment_keys.hpp>

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
    expect(!is_experiment_key(s.kind, fields[i].name), [&] {
      return "parameter \"" + fields[i].name + "\" has the name of a key that the table of each " + s.kind +
             " has in an experiment (<nephron/experiment_keys.hpp>): it could never be given";
    });
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

/// Every field as it was written, or as it is by default.
void require_kept(const FieldInfo& f, const Value& wanted, const Value& found) {
  const Value* v = found.find(f.name);
  const auto number = [](const Value& x) { return x.is(Value::Type::integer) || x.is(Value::Type::real); };
  // A float of single precision rounds what was written.
  const bool kept =
      v != nullptr && (*v == wanted || (number(*v) && number(wanted) &&
                                        std::abs(v->number() - wanted.number()) <= 1e-6 * std::abs(wanted.number())));
  expect(kept, [&] {
    return "parameter \"" + f.name + "\" is " + wanted.str() + " when written and " +
           (v != nullptr ? v->str() : "unset") +
           " when read back; does another parameter share its member, or is its default drawn anew?";
  });
}

/// Another value that the field should take, where one is easily found.
std::optional<Value> other_value(const FieldInfo& f) {
  const bool set = !f.fallback.is(Value::Type::null);
  if (f.type == "bool") return Value(set ? !f.fallback.boolean() : true);
  if (f.type == "int") {
    const auto fits = [&](std::int64_t v) {
      return static_cast<double>(v) >= f.low && static_cast<double>(v) <= f.high;
    };
    const std::int64_t from = set                                     ? f.fallback.integer()
                              : std::isfinite(f.low) && f.low > -1e15 ? static_cast<std::int64_t>(f.low)
                                                                      : 0;
    for (const std::int64_t by : {1, -1})
      if (fits(from + by)) return Value(from + by);
  }
  if (f.type == "float") {
    const double from = set ? f.fallback.number() : std::isfinite(f.low) ? f.low : 0;
    for (const double to : {from + 0.25, from - 0.25, 0.5 * (f.low + f.high)})
      if (to != from && to >= f.low && to <= f.high) return Value(to);
  }
  if (f.type == "string") {
    for (const std::string& choice : f.choices)
      if (!set || choice != f.fallback.string()) return Value(choice);
    if (f.choices.empty()) return Value(set ? f.fallback.string() + "x" : "x");
  }
  return std::nullopt;
}

void check_round_trip(const Subject& s) {
  const std::vector<FieldInfo>& fields = s.schema->fields();
  for (std::size_t i = 0; i < fields.size(); ++i)
    for (std::size_t k = 0; k < i; ++k)
      if (fields[k].name == fields[i].name) throw Skipped("two parameters have one name");
  if (!faults_of(s, defaults_of(s)).empty()) throw Skipped("its defaults are refused, or a parameter has none");
  const auto round_trip = [&](const Value& table) {
    Diagnostics faults;
    DecodeContext context{faults};
    const Value once = s.schema->normalised(table, context);
    if (!faults.empty()) return std::optional<Value>();
    const Value twice = s.schema->normalised(once, context);
    expect(faults.empty(),
           [&] { return "its parameters, read and written out, are refused: " + faults.front().message; });
    expect(once == twice, [&] {
      return "its parameters, read and written out twice, change from " + once.str() + " to " + twice.str();
    });
    return std::optional(once);
  };
  const Value written = s.params.is(Value::Type::table) ? s.params : Value(Value::Table{});
  const std::optional<Value> base = round_trip(written);
  if (!base) throw Skipped("the parameters that it was given are refused");
  const auto require_others = [&](const Value& found, const FieldInfo* changed) {
    for (const FieldInfo& f : fields)
      if (&f != changed && written.find(f.name) == nullptr && !f.fallback.is(Value::Type::null))
        require_kept(f, f.fallback, found);
  };
  require_others(*base, nullptr);
  for (const FieldInfo& f : fields) {
    const std::optional<Value> other = other_value(f);
    if (!other) continue;
    Value table = written;
    table.set(f.name, *other);
    const std::optional<Value> found = round_trip(table);
    if (!found) continue;  // refused together with the others, as it may be
    require_kept(f, *other, *found);
    require_others(*found, &f);
  }
}

void check_refusals(const Subject& s) {
  const Value written = s.params.is(Value::Type::table) ? s.params : Value(Value::Table{});
  const std::size_t before = faults_of(s, written).size();  // such as a required parameter that is not set
  Value table = written;
  table.set("no_such_parameter", Value(1));
  expect(faults_of(s, table).size() > before, "an unknown key is taken without a word");
  for (const FieldInfo& f : s.schema->fields()) {
    const auto refuses = [&](Value v, const char* what) {
      Value wrong = written;
      const std::string text = v.str();
      wrong.set(f.name, std::move(v));
      const std::size_t others = before - (f.required && s.params.find(f.name) == nullptr ? 1 : 0);
      expect(faults_of(s, wrong).size() > others,
             [&] { return "parameter \"" + f.name + "\" takes " + what + ": " + text; });
    };
    if (f.type == "int" || f.type == "float") {
      refuses(Value("three"), "a string for a number");
      if (std::isfinite(f.low) && f.low > -1e15)
        refuses(f.type == "int" ? Value(static_cast<std::int64_t>(f.low) - 1) : Value(f.low - 1 - std::abs(f.low)),
                "a value below its range");
      if (std::isfinite(f.high) && f.high < 1e15)
        refuses(f.type == "int" ? Value(static_cast<std::int64_t>(f.high) + 1) : Value(f.high + 1 + std::abs(f.high)),
                "a value above its range");
    }
    if (f.type == "float") refuses(Value(std::nan("")), "not-a-number");
    if (f.type == "bool") refuses(Value(1), "a number for true or false");
    if (f.type == "string" || f.type == "path") refuses(Value(1), "a number for a string");
    if (!f.choices.empty() && f.type == "string") refuses(Value("no such choice"), "what is not among its choices");
  }
}

void check_randomness(const Subject& s) {
  for (const std::string& symbol : s.imports) {
    expect(symbol != "getrandom" && symbol != "getentropy" && symbol != "arc4random", [&] {
      return "the plugin uses " + symbol + "(); random numbers come from the Rng that is handed in (SDK rule 5)";
    });
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
      {"round_trip", "parameters are the same when read, written out and read again", &check_round_trip},
      {"making", "making the component draws no random numbers from outside", &check_randomness},
  };
}

}  // namespace nephron::conformance
