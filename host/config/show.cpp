#include <host/config/show.hpp>

#include <algorithm>
#include <map>

#include <nlohmann/json.hpp>

#include <host/config/experiment.hpp>
#include <host/config/substitute.hpp>

namespace nephron::host {

namespace {

using Json = nlohmann::ordered_json;

bool is_list_of_tables(const Value& v) {
  return v.is(Value::Type::array) && !v.array().empty() &&
         std::all_of(v.array().begin(), v.array().end(), [](const Value& x) { return x.is(Value::Type::table); });
}

/// Strings as an experiment must write them so that they are read back as they are.
Value escaped(const Value& v) {
  Value out = v;
  if (v.is(Value::Type::string)) out = Value(escape_substitution(v.string()));
  if (v.is(Value::Type::array))
    for (Value& x : out.array()) x = escaped(x);
  if (v.is(Value::Type::table))
    for (Value::Member& m : out.table()) m.value = escaped(m.value);
  return out;
}

/// The key as TOML writes it: bare or quoted.
std::string key_text(const std::string& key) {
  const std::string table = Value(Value::Table{{key, Value(0), {}}}).str();  // "{ KEY = 0 }"
  return table.substr(2, table.size() - 8);
}

class TomlWriter {
 public:
  explicit TomlWriter(bool origins) : origins_(origins) {}

  void table(const Value& from, const std::string& path) {
    for (const Value::Member& m : from.table())
      if (!m.value.is(Value::Type::table) && !is_list_of_tables(m.value)) line(m);
    for (const Value::Member& m : from.table()) {
      const std::string below = path.empty() ? key_text(m.key) : path + "." + key_text(m.key);
      if (m.value.is(Value::Type::table)) {
        header("[" + below + "]");
        table(m.value, below);
      } else if (is_list_of_tables(m.value)) {
        for (const Value& x : m.value.array()) {
          header("[[" + below + "]]");
          table(x, below);
        }
      }
    }
  }

  std::string text;

 private:
  void line(const Value::Member& m) {
    if (m.value.is(Value::Type::null)) return;
    std::string out = key_text(m.key) + " = " + escaped(m.value).str();
    if (origins_) {
      if (out.size() < 40) out.resize(40, ' ');
      std::string where = origin(m.value);
      std::replace_if(
          where.begin(), where.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
      out += "  # " + where;
    }
    text += out + "\n";
  }

  void header(const std::string& name) { text += (text.empty() ? "" : "\n") + name + "\n"; }

  bool origins_;
};

Json json_of(const Value& v) {
  switch (v.type()) {
    case Value::Type::null:
      return nullptr;
    case Value::Type::boolean:
      return v.boolean();
    case Value::Type::integer:
      return v.integer();
    case Value::Type::real:
      return v.number();
    case Value::Type::string:
      return v.string();
    case Value::Type::array: {
      Json out = Json::array();
      for (const Value& x : v.array()) out.push_back(json_of(x));
      return out;
    }
    case Value::Type::table: {
      Json out = Json::object();
      for (const Value::Member& m : v.table()) out[m.key] = json_of(m.value);
      return out;
    }
  }
  return nullptr;
}

void set_default(Value& table, const FieldInfo& field) {
  if (!field.fallback.is(Value::Type::null) && table.find(field.name) == nullptr) table.set(field.name, field.fallback);
}

void sort_keys(Value& v) {
  if (v.is(Value::Type::array))
    for (Value& x : v.array()) sort_keys(x);
  if (!v.is(Value::Type::table)) return;
  for (Value::Member& m : v.table()) sort_keys(m.value);
  std::sort(v.table().begin(), v.table().end(),
            [](const Value::Member& a, const Value::Member& b) { return a.key < b.key; });
}

std::string dump(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

void collect(const Value& v, const std::string& path, std::vector<Leaf>& out) {
  const auto below = [&](const std::string& key) { return path.empty() ? key : path + "." + key; };
  if (v.is(Value::Type::table)) {
    for (const Value::Member& m : v.table()) collect(m.value, below(key_text(m.key)), out);
  } else if (is_list_of_tables(v)) {
    for (std::size_t i = 0; i < v.array().size(); ++i) collect(v.array()[i], below(std::to_string(i)), out);
  } else if (!v.is(Value::Type::null)) {
    out.push_back({path, &v});
  }
}

}  // namespace

Value with_defaults(Value resolved, const Components& components) {
  walk_fields(resolved, schema_of<Experiment>().fields(), components, set_default);
  return resolved;
}

std::string params_key(std::string_view kind, const ComponentSpec& component, const Components& components) {
  Value all = component.params;
  walk_fields(all, components.schema(kind, component.type).fields(), components, set_default);
  sort_keys(all);
  return all.str();
}

std::string to_toml(const Value& table, bool origins) {
  TomlWriter writer(origins);
  writer.table(table, "");
  return writer.text;
}

std::string to_json(const Value& table) { return dump(json_of(table)); }

std::string to_json_with_origins(const Value& table) {
  Json out{{"values", json_of(table)}, {"origins", Json::object()}};
  for (const Leaf& leaf : leaves(table)) out["origins"][leaf.key] = origin(*leaf.value);
  return dump(out);
}

std::string origin(const Value& value) {
  const std::string where = value.source.str();
  return where.empty() ? "default" : where;
}

std::vector<Leaf> leaves(const Value& table) {
  std::vector<Leaf> out;
  collect(table, "", out);
  return out;
}

std::vector<Difference> differences(const Value& a, const Value& b) {
  const std::vector<Leaf> right = leaves(b);
  std::map<std::string, const Value*> others;
  for (const Leaf& leaf : right) others[leaf.key] = leaf.value;
  const auto same = [](const Value& x, const Value& y) {
    const auto number = [](const Value& v) { return v.is(Value::Type::integer) || v.is(Value::Type::real); };
    return number(x) && number(y) ? x.number() == y.number() : x == y;
  };
  std::vector<Difference> out;
  for (const Leaf& leaf : leaves(a)) {
    const auto other = others.find(leaf.key);
    if (other == others.end()) out.push_back({leaf.key, leaf.value, nullptr});
    else if (!same(*leaf.value, *other->second)) out.push_back({leaf.key, leaf.value, other->second});
    if (other != others.end()) others.erase(other);
  }
  for (const Leaf& leaf : right)
    if (others.contains(leaf.key)) out.push_back({leaf.key, nullptr, leaf.value});
  return out;
}

Value without_defaults(Value table) {
  std::erase_if(table.table(), [](Value::Member& m) {
    if (m.value.is(Value::Type::table)) {
      m.value = without_defaults(std::move(m.value));
      return m.value.table().empty();
    }
    if (is_list_of_tables(m.value)) {
      for (Value& x : m.value.array()) x = without_defaults(std::move(x));
      return false;
    }
    return m.value.source.str().empty();
  });
  return table;
}

std::string difference(const Value& a, const Value& b) {
  const auto told = [](const Value& v) { return v.str() + " (" + origin(v) + ")"; };
  std::string out;
  for (const Difference& d : differences(a, b)) {
    if (d.after == nullptr) out += "- " + d.key + ": " + told(*d.before) + "\n";
    else if (d.before == nullptr) out += "+ " + d.key + ": " + told(*d.after) + "\n";
    else out += "  " + d.key + ": " + told(*d.before) + " -> " + told(*d.after) + "\n";
  }
  return out;
}

}  // namespace nephron::host
