#include <host/config/merge.hpp>

#include <algorithm>
#include <optional>

namespace nephron::host {

namespace {

const FieldInfo* find_field(const std::vector<FieldInfo>& fields, const std::string& name) {
  const auto at = std::find_if(fields.begin(), fields.end(), [&](const FieldInfo& f) { return f.name == name; });
  return at == fields.end() ? nullptr : &*at;
}

const std::vector<FieldInfo>& members_of(const FieldInfo* info) {
  static const std::vector<FieldInfo> none;
  return info != nullptr ? info->members : none;
}

/// Tables that no section declares lie inside a component's parameters; there, too, a `type` names a component.
bool is_component(const FieldInfo* info) {
  return info == nullptr || info->type == "component" || !info->shared_kind.empty() || !info->component_kind.empty();
}

bool type_changes(const Value& base, const Value& over) {
  const Value* before = base.find("type");
  const Value* after = over.find("type");
  return before != nullptr && after != nullptr && !(*before == *after);
}

std::string label(const Value& entry) {
  for (const char* key : {"name", "type"})
    if (const Value* v = entry.find(key); v != nullptr && v->is(Value::Type::string) && !v->string().empty())
      return v->string();
  return {};
}

/// How an entry of that type is named that stands within another one's `of`: "2.of.elastic"; empty where none does.
std::string path_within(const Value::Array& entries, const std::string& type) {
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Value* const of = entries[i].find("of");
    if (of == nullptr || !of->is(Value::Type::array)) continue;
    const std::string here = std::to_string(i) + ".of.";
    for (const Value& inner : of->array())
      if (const Value* name = inner.find("type"); name != nullptr && *name == Value(type)) return here + type;
    if (const std::string deeper = path_within(of->array(), type); !deeper.empty()) return here + deeper;
  }
  return {};
}

/// Every label and number that a patch of this array may use.
std::string choices(const Value::Array& entries) {
  std::string out;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::string name = label(entries[i]);
    out += (i > 0 ? ", " : "") + std::to_string(i) + (name.empty() ? "" : " (\"" + name + "\")");
  }
  return entries.empty() ? "the list is empty" : "its entries: " + out;
}

std::optional<std::size_t> number(const std::string& key) {
  if (key.empty() || key.size() > 6 || key.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  return std::stoul(key);
}

class Merger {
 public:
  explicit Merger(Diagnostics& faults) : faults_(faults) {}

  void lay(Value& base, const Value& over, const FieldInfo* info) {
    if (base.is(Value::Type::array) && over.is(Value::Type::table)) return patch(base, over, info);
    const bool both = base.is(Value::Type::table) && over.is(Value::Type::table);
    if (!both || (is_component(info) && type_changes(base, over))) base = over;
    else lay_table(base, over, members_of(info));
  }

  void lay_table(Value& base, const Value& over, const std::vector<FieldInfo>& fields) {
    base.source = over.source;
    for (const Value::Member& m : over.table()) {
      auto& members = base.table();
      const auto old =
          std::find_if(members.begin(), members.end(), [&](const Value::Member& o) { return o.key == m.key; });
      if (old == members.end()) {
        members.push_back(m);
        continue;
      }
      old->source = m.source;
      lay(old->value, m.value, find_field(fields, m.key));
    }
  }

 private:
  void patch(Value& base, const Value& over, const FieldInfo* info) {
    const FieldInfo* element = info != nullptr && info->element != nullptr ? info->element.get() : info;
    for (const Value::Member& m : over.table())
      if (Value* entry = find_entry(base.array(), m)) lay(*entry, m.value, element);
  }

  Value* find_entry(Value::Array& entries, const Value::Member& patch) {
    if (const auto i = number(patch.key); i && *i < entries.size()) return &entries[*i];
    for (const char* key : {"name", "type"}) {
      Value* found = nullptr;
      for (Value& e : entries) {
        const Value* v = e.find(key);
        if (v == nullptr || !v->is(Value::Type::string) || v->string() != patch.key) continue;
        if (found != nullptr)
          return refuse(patch, "\"" + patch.key + "\" names more than one entry of the list", entries);
        found = &e;
      }
      if (found != nullptr) return found;
    }
    const std::string nested = path_within(entries, patch.key);
    return refuse(patch, "the list has no entry \"" + patch.key + "\" to change", entries,
                  nested.empty() ? "" : "\"" + patch.key + "\" stands within another: " + nested + "; ");
  }

  Value* refuse(const Value::Member& patch, std::string message, const Value::Array& entries,
                const std::string& hint = {}) {
    faults_.push_back({patch.source, std::move(message), hint + choices(entries)});
    return nullptr;
  }

  Diagnostics& faults_;
};

}  // namespace

void merge(Value& base, const Value& over, const std::vector<FieldInfo>& fields, Diagnostics& faults) {
  Merger(faults).lay_table(base, over, fields);
}

}  // namespace nephron::host
