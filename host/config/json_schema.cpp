#include <cmath>
#include <map>

#include <nlohmann/json.hpp>

#include <host/config/experiment.hpp>
#include <host/config/schema_text.hpp>
#include <host/config/show.hpp>

namespace nephron::host {

namespace {

using Json = nlohmann::ordered_json;

// A file that extends another may state any part of a table, so keys are only required where nothing is extended, and
// a list of tables may be patched by a table. ${NAME} may stand in any string.

const Json& substituted_string() {
  static const Json text{{"type", "string"}, {"pattern", "\\$\\{"}};
  return text;
}

class SchemaWriter {
 public:
  explicit SchemaWriter(const Components& components) : components_(components) {}

  Json experiment() {
    const std::vector<FieldInfo>& fields = schema_of<Experiment>().fields();
    Json out{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
             {"title", "nephron experiment"},
             {"type", "object"},
             {"properties", properties(fields)},
             {"additionalProperties", false}};
    out["properties"]["extends"] = {
        {"description", "file, or list of files, that this one changes; relative to this file"},
        {"oneOf", {{{"type", "string"}}, {{"type", "array"}, {"items", {{"type", "string"}}}}}}};
    out["properties"]["sweep"] = {
        {"description", "of a file that nephron sweep takes: what is varied, and how (docs/sweeps.md)"},
        {"type", "object"}};
    out["if"] = {{"not", {{"required", {"extends"}}}}};
    out["then"] = requirements(fields);
    Json defs = Json::object();
    for (auto& [name, def] : defs_) defs[name] = std::move(def);
    out["$defs"] = std::move(defs);
    return out;
  }

 private:
  Json properties(const std::vector<FieldInfo>& fields, const FieldInfo* holder = nullptr) {
    Json out = Json::object();
    for (const FieldInfo& f : fields) out[f.name] = described(f, holder);
    return out;
  }

  Json described(const FieldInfo& f, const FieldInfo* holder) {
    Json out = content(f, holder);
    out["description"] = f.doc + (f.unit.empty() ? "" : " [" + f.unit + "]");
    if (!f.fallback.is(Value::Type::null) && f.type != "table" && f.type != "component")
      out["default"] = Json::parse(to_json(f.fallback));
    return out;
  }

  Json content(const FieldInfo& f, const FieldInfo* holder) {
    if (f.type == "bool") return {{"type", "boolean"}};
    if (f.type == "int") return number(f, "integer");
    if (f.type == "float") return number(f, "number");
    if (f.type == "string" || f.type == "path") return text(f);
    if (f.type == "array") return array(f, holder);
    if (f.type == "component") return reference(f.component_kind, {}, "");
    if (f.type == "table") {
      if (!f.shared_kind.empty()) return reference(f.shared_kind, f.members, f.name);
      return {{"type", "object"}, {"properties", properties(f.members)}, {"additionalProperties", false}};
    }
    if (!f.component_kind.empty() && holder != nullptr)
      return list_of_tables(reference(holder->shared_kind, holder->members, holder->name));
    if (!f.choices.empty()) return {{"anyOf", {number(f, "number"), {{"enum", f.choices}}}}};
    return Json::object();
  }

  static Json number(const FieldInfo& f, const char* type) {
    Json out{{"type", type}};
    const bool whole = f.type == "int";
    const auto bound = [&](const char* key, double v) {
      if (!std::isfinite(v) || std::abs(v) > 1e9) return;  // the limits of the C++ type say nothing
      if (whole) out[key] = static_cast<std::int64_t>(v);
      else out[key] = v;
    };
    bound("minimum", f.low);
    bound("maximum", f.high);
    return out;
  }

  static Json text(const FieldInfo& f) {
    if (f.choices.empty()) return {{"type", "string"}};
    return {{"anyOf", {{{"enum", f.choices}}, substituted_string()}}};
  }

  static Json list_of_tables(Json element) {
    Json patch{{"type", "object"}, {"additionalProperties", {{"type", "object"}}}};
    return {{"oneOf", {{{"type", "array"}, {"items", std::move(element)}}, std::move(patch)}}};
  }

  Json array(const FieldInfo& f, const FieldInfo* holder) {
    Json element = content(*f.element, holder);
    if (f.element->type == "table" || f.element->type == "component") {
      Json list = list_of_tables(std::move(element));
      if (is_combinator(f.element->shared_kind, combinators().front()))
        list["oneOf"][1]["properties"] = {
            {"preset", {{"type", "string"}, {"description", "the chain by its name; other keys change links of it"}}}};
      return list;
    }
    Json out{{"type", "array"}, {"items", std::move(element)}};
    if (f.length >= 0) out["minItems"] = out["maxItems"] = f.length;
    return out;
  }

  /// A component of this kind; `own`: keys that its holder adds to the table.
  Json reference(const std::string& kind, const std::vector<FieldInfo>& own, const std::string& holder) {
    const std::string name = own.empty() ? kind : holder;
    if (defs_.emplace(name, Json::object()).second) {
      Json choices = Json::array();
      for (const std::string& type : components_.names(kind)) choices.push_back(component(kind, type, own, name));
      choices.push_back({{"type", "object"},
                         {"not", {{"required", {"type"}}}},
                         {"title", "part of a " + kind + " of the file that is extended"}});
      defs_[name] = {{"oneOf", std::move(choices)}};
    }
    return {{"$ref", "#/$defs/" + name}};
  }

  Json component(const std::string& kind, const std::string& type, const std::vector<FieldInfo>& own,
                 const std::string& name) {
    Json out{{"title", type}, {"description", components_.doc(kind, type)}, {"type", "object"}};
    FieldInfo holder;
    holder.name = name;
    holder.shared_kind = kind;
    holder.members = own;
    Json required = Json::array({"type"});
    Json all = Json::object();
    all["type"] = {{"const", type}, {"description", components_.doc(kind, type)}};
    for (const FieldInfo& f : own) all[f.name] = described(f, &holder);
    for (const FieldInfo& f : components_.schema(kind, type).fields()) {
      all[f.name] = described(f, nullptr);
      if (f.required) required.push_back(f.name);
    }
    out["properties"] = std::move(all);
    out["required"] = std::move(required);
    out["additionalProperties"] = false;
    return out;
  }

  /// What a file must state that extends nothing.
  static Json requirements(const std::vector<FieldInfo>& fields) {
    Json required = Json::array();
    Json below = Json::object();
    for (const FieldInfo& f : fields) {
      if (f.required) required.push_back(f.name);
      if (f.type == "component" || !f.shared_kind.empty()) below[f.name] = {{"required", {"type"}}};
      else if (f.type == "table") below[f.name] = requirements(f.members);
    }
    Json out = Json::object();
    if (!required.empty()) out["required"] = std::move(required);
    if (!below.empty()) out["properties"] = std::move(below);
    return out;
  }

  const Components& components_;
  std::map<std::string, Json> defs_;
};

}  // namespace

std::string experiment_json_schema(const Components& components) {
  return SchemaWriter(components).experiment().dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace nephron::host
