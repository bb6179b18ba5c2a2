#include <host/cli/plugin_text.hpp>

#include <algorithm>
#include <cmath>

namespace nephron::host {

using Json = nlohmann::ordered_json;

Json as_json(const FieldInfo& f) {
  Json out{
      {"name", f.name}, {"type", f.type}, {"doc", f.doc}, {"required", f.required}, {"default", as_json(f.fallback)}};
  if (std::isfinite(f.low)) out["minimum"] = f.low;
  if (std::isfinite(f.high)) out["maximum"] = f.high;
  if (!f.choices.empty()) out["choices"] = f.choices;
  if (!f.unit.empty()) out["unit"] = f.unit;
  if (!f.component_kind.empty()) out["kind"] = f.component_kind;
  if (f.length >= 0) out["length"] = f.length;
  if (f.element != nullptr) out["element"] = f.element->type;
  for (const FieldInfo& m : f.members) out["members"].push_back(as_json(m));
  return out;
}

Json as_json(const ComponentInfo& c) {
  return {{"kind", c.kind},
          {"name", c.name},
          {"doc", c.doc},
          {"plugin", c.plugin},
          {"version", c.version},
          {"file", c.file.string()},
          {"needs_torch", c.needs_torch}};
}

std::string json_text(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace); }

namespace {

std::string number(double v) {
  return v == std::floor(v) && std::abs(v) < 1e15 ? std::to_string(static_cast<std::int64_t>(v)) : Value(v).str();
}

std::string range_of(const FieldInfo& f) {
  if (!f.choices.empty()) {
    std::string out;
    for (const std::string& c : f.choices) out += (out.empty() ? "" : ", ") + c;
    return "one of " + out;
  }
  // The limits of a 32- or 64-bit integer tell nobody anything.
  const bool low = std::isfinite(f.low) && f.low > -2147483648.0;
  const bool high = std::isfinite(f.high) && f.high < 2147483647.0;
  if (low && high) return number(f.low) + " to " + number(f.high);
  if (low) return "at least " + number(f.low);
  return high ? "at most " + number(f.high) : "";
}

std::string type_of(const FieldInfo& f) {
  if (f.type == "array" && f.element != nullptr)
    return f.element->type + (f.length >= 0 ? "[" + std::to_string(f.length) + "]" : "[]");
  return f.type == "component" ? f.component_kind : f.type;
}

void add_rows(std::vector<std::vector<std::string>>& rows, const FieldInfo& f, const std::string& prefix) {
  std::string fallback = f.required                         ? "required"
                         : f.fallback.is(Value::Type::null) ? "unset"
                         : f.type == "table"                ? ""
                                                            : f.fallback.str();
  rows.push_back({"  " + prefix + f.name, type_of(f), fallback, range_of(f), f.unit, f.doc});
  for (const FieldInfo& m : f.members) add_rows(rows, m, prefix + f.name + ".");
}

}  // namespace

std::string describe_text(const ComponentInfo& info, const SchemaBase& schema) {
  std::string out = info.kind + " \"" + info.name + "\": " + info.doc + "\nplugin " + info.plugin + " " + info.version +
                    ", " + info.file.string() + "\n";
  if (schema.fields().empty()) return out + "It has no parameters.\n";
  std::vector<std::vector<std::string>> rows{{"  parameter", "type", "default", "range", "unit", "what it is"}};
  for (const FieldInfo& f : schema.fields()) add_rows(rows, f, "");
  return out + table_text(rows);
}

}  // namespace nephron::host
