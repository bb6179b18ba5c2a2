#include <algorithm>
#include <cmath>

#include <host/config/experiment.hpp>
#include <host/config/schema_text.hpp>

namespace nephron::host {

namespace {

std::string number(double v) {
  return v == std::floor(v) ? std::to_string(static_cast<std::int64_t>(v)) : Value(v).str();
}

std::string type_text(const FieldInfo& f) {
  if (f.type == "array") {
    if (!f.element->shared_kind.empty()) return "list of " + f.element->shared_kind + " tables";
    return (f.length >= 0 ? std::to_string(f.length) + " x " : "list of ") + type_text(*f.element);
  }
  if (f.type == "component") return f.component_kind;
  if (f.type == "any" && !f.component_kind.empty()) return "list of " + f.component_kind + " tables";
  if (f.type == "any") return "float or string";
  return f.type;
}

std::string range_text(const FieldInfo& f) {
  const FieldInfo& of = f.element != nullptr ? *f.element : f;
  std::string out;
  const auto told = [](double v) { return std::isfinite(v) && std::abs(v) < 1e9; };  // else: the limits of the C++ type
  if (told(of.low) && told(of.high)) out = number(of.low) + " to " + number(of.high);
  else if (told(of.low)) out = "at least " + number(of.low);
  for (const std::string& c : of.choices) (out += out.empty() ? "" : ", ") += "`" + c + "`";
  if (f.must_exist) out += "must exist";
  if (!f.unit.empty()) out += (out.empty() ? "" : " ") + f.unit;
  return out;
}

std::string default_text(const FieldInfo& f) {
  if (f.required) return "required";
  if (f.fallback.is(Value::Type::null)) return "";
  return "`" + f.fallback.str() + "`";
}

class MarkdownWriter {
 public:
  /// One table for the keys of a section, then one for each section below it.
  void section(const std::string& title, const std::string& intro, const std::vector<FieldInfo>& fields,
               const std::string& path) {
    text += "### " + title + "\n\n" + intro + "\n\n";
    text += "| key | type | default | range, choices | meaning |\n|---|---|---|---|---|\n";
    for (const FieldInfo& f : fields)
      if (!has_section(f))
        text += "| `" + f.name + "` | " + type_text(f) + " | " + default_text(f) + " | " + range_text(f) + " | " +
                f.doc + " |\n";
    text += "\n";
    for (const FieldInfo& f : fields)
      if (has_section(f)) below(f, path);
  }

  std::string text;

 private:
  static const FieldInfo& inner(const FieldInfo& f) { return f.type == "array" ? *f.element : f; }
  static bool has_section(const FieldInfo& f) { return inner(f).type == "table"; }

  void below(const FieldInfo& f, const std::string& path) {
    const std::string here = path.empty() ? f.name : path + "." + f.name;
    const std::string title = f.type == "array" ? "[[" + here + "]]" : "[" + here + "]";
    std::string intro = f.doc;
    intro[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(intro[0])));
    intro += f.required ? ". Required." : ".";
    const std::string& kind = inner(f).shared_kind;
    if (!kind.empty())
      intro += " `type` names the " + kind + "; its own keys\nstand beside these (`nephron plugins describe " + kind +
               " NAME`).";
    section("`" + title + "`", intro, inner(f).members, here);
  }
};

}  // namespace

std::string experiment_markdown() {
  MarkdownWriter writer;
  writer.section("Top of the file", "Keys before the first section.", schema_of<Experiment>().fields(), "");
  writer.text.pop_back();
  return writer.text;
}

}  // namespace nephron::host
