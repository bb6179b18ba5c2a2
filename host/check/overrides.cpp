#include <host/check/overrides.hpp>

#include <algorithm>

#include <host/config/load.hpp>
#include <host/util/usage_error.hpp>

namespace nephron::host {

namespace {

Value value_of(const Override& o) {
  try {
    const Value table = parse_toml("value = " + o.value, "--set");
    Value out = *table.find("value");
    out.source = {};  // paths are relative to the working folder
    return out;
  } catch (const ConfigError&) {
    return Value(o.value);
  }
}

/// The override that a message speaks of: it quotes the parameter. Null where it quotes none.
const Override* spoken_of(const std::string& message, const std::vector<Override>& overrides) {
  const auto found = std::find_if(overrides.begin(), overrides.end(), [&](const Override& o) {
    return message.find("\"" + o.key + "\"") != std::string::npos;
  });
  return found != overrides.end() ? &*found : nullptr;
}

std::string all_of(const std::vector<Override>& overrides) {
  std::string out;
  for (const Override& o : overrides) out += (out.empty() ? "" : " --set ") + o.text;
  return out;
}

}  // namespace

Override read_override(const std::string& text) {
  const std::size_t equals = text.find('=');
  const std::size_t dot = equals == std::string::npos ? equals : text.substr(0, equals).rfind('.');
  const std::size_t key = dot == std::string::npos ? 0 : dot + 1;
  if (equals == std::string::npos || equals == key || dot == 0)
    throw UsageError("--set " + text + ": expected NAME=VALUE or COMPONENT.NAME=VALUE");
  return {.text = text,
          .component = text.substr(0, key == 0 ? 0 : dot),
          .key = text.substr(key, equals - key),
          .value = text.substr(equals + 1)};
}

Value parameters_of(const std::vector<Override>& overrides) {
  Value out{Value::Table{}};
  for (const Override& o : overrides) out.set(o.key, value_of(o));
  return out;
}

std::vector<OverrideFault> faults_of(const std::vector<Override>& overrides, const SchemaBase& schema) {
  const auto told = [&](const Value& table) {
    Diagnostics faults;
    DecodeContext context{faults};
    schema.check(table, context);
    return faults;
  };
  const std::vector<FieldInfo>& fields = schema.fields();
  const Diagnostics without = told(Value(Value::Table{}));
  std::vector<OverrideFault> out;
  for (const Diagnostic& d : told(parameters_of(overrides))) {
    // What is said without them too, such as a parameter that is missing, is not their fault.
    if (std::any_of(without.begin(), without.end(), [&](const Diagnostic& w) { return w.message == d.message; }))
      continue;
    const Override* o = spoken_of(d.message, overrides);
    const bool known =
        o == nullptr || std::any_of(fields.begin(), fields.end(), [&](const FieldInfo& f) { return f.name == o->key; });
    out.push_back(
        {.text = o != nullptr ? o->text : all_of(overrides), .unknown = !known, .message = d.message, .hint = d.hint});
  }
  return out;
}

}  // namespace nephron::host
