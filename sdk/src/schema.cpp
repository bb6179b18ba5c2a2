#include <nephron/schema.hpp>

#include <algorithm>
#include <cmath>

#include <nephron/error.hpp>
#include <nephron/plugin.hpp>

namespace nephron::detail {

namespace {
std::string subject(std::string_view name) {
  return name.empty() ? std::string("this") : "\"" + std::string(name) + "\"";
}

std::string number_text(double v) {
  if (std::isinf(v)) return v > 0 ? "infinity" : "-infinity";
  return v == std::floor(v) && std::abs(v) < 1e15 ? std::to_string(static_cast<std::int64_t>(v)) : Value(v).str();
}

std::string list(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& n : names) (out += out.empty() ? "" : ", ") += "\"" + n + "\"";
  return out;
}

std::string did_you_mean(const std::string& word, const std::vector<std::string>& names) {
  const std::string near = nearest(word, names);
  return near.empty() ? "known: " + list(names) : "did you mean \"" + near + "\"?";
}
}  // namespace

void fault(DecodeContext& c, const Value& at, std::string message, std::string hint) {
  c.faults.push_back({at.source, std::move(message), std::move(hint)});
}

void wrong_type(DecodeContext& c, const Value& at, std::string_view name, std::string_view expected) {
  fault(c, at, subject(name) + " must be " + std::string(expected) + ", not " + std::string(Value::name_of(at.type())));
}

bool in_range(DecodeContext& c, const Value& at, const FieldInfo& info, double number) {
  if (!std::isfinite(number)) {
    fault(c, at, subject(info.name) + " must be a finite number, not " + at.str());
    return false;
  }
  if (number >= info.low && number <= info.high) return true;
  std::string expected;
  if (std::isinf(info.high)) expected = std::isinf(info.low) ? "a number" : "at least " + number_text(info.low);
  else if (std::isinf(info.low)) expected = "at most " + number_text(info.high);
  else expected = "in " + number_text(info.low) + " to " + number_text(info.high);
  if (!info.unit.empty()) expected += " " + info.unit;
  fault(c, at, subject(info.name) + " must be " + expected + ", not " + at.str());
  return false;
}

bool in_choices(DecodeContext& c, const Value& at, const FieldInfo& info, const std::string& text) {
  if (info.choices.empty() || std::find(info.choices.begin(), info.choices.end(), text) != info.choices.end())
    return true;
  const std::string near = nearest(text, info.choices);
  fault(c, at, subject(info.name) + " must be one of " + list(info.choices) + ", not \"" + text + "\"",
        near.empty() ? "" : "did you mean \"" + near + "\"?");
  return false;
}

void unknown_keys(DecodeContext& c, const Value& table, const std::vector<FieldInfo>& fields) {
  if (!table.is(Value::Type::table)) return;
  std::vector<std::string> names;
  for (const FieldInfo& f : fields) names.push_back(f.name);
  const std::vector<std::string> here = names;
  if (c.others != nullptr)
    for (const FieldInfo& f : *c.others) names.push_back(f.name);
  for (const Value::Member& m : table.table()) {
    if (std::find(here.begin(), here.end(), m.key) != here.end()) continue;
    // Somebody else's keys are taken out of the table that they belong to: here is one of a table inside it.
    const bool of_the_holder = std::find(names.begin(), names.end(), m.key) != names.end();
    c.faults.push_back({m.source, "unknown key \"" + m.key + "\"",
                        names.empty()   ? "there are no keys to set here"
                        : of_the_holder ? "it belongs to the table around this one"
                                        : did_you_mean(m.key, names)});
  }
}

void missing(DecodeContext& c, const Value& table, const FieldInfo& info) {
  fault(c, table, "\"" + info.name + "\" is missing", info.doc);
}

void wrong_length(DecodeContext& c, const Value& at, const FieldInfo& info, std::size_t expected) {
  fault(c, at,
        subject(info.name) + " must have " + std::to_string(expected) + " values, not " +
            std::to_string(at.array().size()));
}

namespace {
/// "pypi:name": two or more letters, then a colon.
bool has_scheme(const std::string& text) {
  const std::size_t colon = text.find(':');
  return colon != std::string::npos && colon >= 2 &&
         std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(colon),
                     [](char l) { return (l >= 'a' && l <= 'z') || (l >= '0' && l <= '9'); });
}
}  // namespace

bool in_place(DecodeContext& c, const Value& at, const FieldInfo& info, const std::filesystem::path& path) {
  if (!info.must_exist || path.empty() || has_scheme(path.string())) return true;
  std::error_code error;
  if (std::filesystem::exists(path, error)) return true;
  fault(c, at, subject(info.name) + " names a file or folder that is not there: " + path.string(),
        at.source.line > 0 ? "a path is relative to the file that states it" : "");
  return false;
}

std::filesystem::path resolve(const Value& at, const std::string& text) {
  const std::filesystem::path path(text);
  if (path.is_absolute() || text.empty() || has_scheme(text) || at.source.file == nullptr || at.source.line == 0)
    return path;
  return (std::filesystem::path(*at.source.file).parent_path() / path).lexically_normal();
}

bool decode_component(const Value& v, ComponentSpec& out, std::string_view kind, const std::vector<FieldInfo>& own,
                      DecodeContext& c) {
  const Value* type = v.find("type");
  if (type == nullptr || !type->is(Value::Type::string)) {
    fault(c, type != nullptr ? *type : v, "the " + std::string(kind) + " needs its name: type = \"NAME\"");
    return false;
  }
  out.type = type->string();
  out.params = v;
  out.source = v.source;
  std::erase_if(out.params.table(), [&](const Value::Member& m) {
    return m.key == "type" || std::any_of(own.begin(), own.end(), [&](const FieldInfo& f) { return f.name == m.key; });
  });
  const std::size_t before = c.faults.size();
  if (c.visitor != nullptr) c.visitor->component(kind, out, type->source, own, c.faults);
  return c.faults.size() == before;
}

Value encode_component(const ComponentSpec& spec) {
  Value out{Value::Table{}};
  out.set("type", Value(spec.type));
  if (spec.params.is(Value::Type::table))
    for (const Value::Member& m : spec.params.table()) out.set(m.key, m.value);
  return out;
}

void ParamsFor::throw_faults(const Diagnostics& faults) {
  std::string text;
  for (const Diagnostic& d : faults) {
    const std::string where = d.source.str();
    (text += text.empty() ? "" : "; ") += (where.empty() ? "" : where + ": ") + d.message;
    if (!d.hint.empty()) text += " (" + d.hint + ")";
  }
  throw Error(text);
}

namespace {
class NoContext final : public Context {
 public:
  std::string_view component() const noexcept override { return ""; }
  Log& log() override { refuse(); }
  Rng rng(std::string_view) const override { refuse(); }
  std::string_view device() const noexcept override { return "cpu"; }
  ThreadPool& threads() override { refuse(); }
  bool cancelled() const noexcept override { return false; }
  void metric(std::string_view, double) override { refuse(); }
  SlideOpener& slides() override { refuse(); }

 private:
  [[noreturn]] static void refuse() { throw Error("there is no context while a schema is told"); }
};
}  // namespace

Context& no_context() {
  static NoContext context;
  return context;
}

}  // namespace nephron::detail
