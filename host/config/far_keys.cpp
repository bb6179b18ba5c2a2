#include <host/config/far_keys.hpp>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include <nephron/error.hpp>

#include <host/config/experiment.hpp>

namespace nephron::host {

namespace {

constexpr std::string_view unknown = "unknown key \"", guess = "did you mean ", known = "known: ";
constexpr std::size_t most = 3;  // keys of one name that are told

/// A key by its last part, and with the way to it: "lr", "train.optimizer.lr".
struct Key {
  std::string name, path;
};

/// Every key that the experiment may have: of tables that are not written too, of lists for the entries they have.
class Keys {
 public:
  explicit Keys(const Components& components) : components_(components) {}

  void table(const Value* at, const std::vector<FieldInfo>& fields, const std::string& path) {
    for (const FieldInfo& f : fields) {
      const std::string own = path.empty() ? f.name : path + "." + f.name;
      out.push_back({f.name, own});
      const bool is_table = at != nullptr && at->is(Value::Type::table);
      field(is_table ? at->find(f.name) : nullptr, f, own);
    }
  }

  std::vector<Key> out;

 private:
  void field(const Value* v, const FieldInfo& f, const std::string& path) {
    if (f.type == "array" && v != nullptr && v->is(Value::Type::array))
      for (std::size_t i = 0; i < v->array().size(); ++i)
        field(&v->array()[i], *f.element, path + "." + std::to_string(i));
    if (f.type == "table") table(v, f.members, path);
    const std::string& kind = f.type == "table" ? f.shared_kind : f.component_kind;
    if (v != nullptr && !kind.empty() && (f.type == "table" || f.type == "component")) component(*v, kind, path);
  }

  void component(const Value& v, const std::string& kind, const std::string& path) {
    const Value* const type = v.is(Value::Type::table) ? v.find("type") : nullptr;
    if (type == nullptr || !type->is(Value::Type::string)) return;
    const std::vector<std::string> names = components_.names(kind);
    if (std::find(names.begin(), names.end(), type->string()) == names.end()) return;
    try {
      table(&v, components_.schema(kind, type->string()).fields(), path);
    } catch (const Error&) {  // a plugin that cannot be loaded is told of elsewhere
    }
  }

  const Components& components_;
};

/// Keys of this name; or of the one that is nearest to it, if that begins alike, as a slip of the finger does.
std::vector<std::string> paths_of(const std::string& word, const std::vector<Key>& keys) {
  std::string name = word;
  const auto is_called = [&](const Key& k) { return k.name == name; };
  if (std::none_of(keys.begin(), keys.end(), is_called)) {
    std::vector<std::string> names;
    for (const Key& k : keys)
      if (!word.empty() && k.name.front() == word.front()) names.push_back(k.name);
    name = nearest(word, names);
  }
  std::vector<std::string> out;
  for (const Key& k : keys)
    if (is_called(k) && out.size() < most) out.push_back(k.path);
  return out;
}

void point(Diagnostic& fault, const std::string& word, const std::vector<Key>& keys) {
  const std::vector<std::string> paths = paths_of(word, keys);
  const bool guessed = fault.hint.starts_with(guess);
  // What is near in the same table is likelier than what is near in another one.
  const auto is_called = [&](const Key& k) { return k.name == word; };
  if (paths.empty() || (guessed && std::none_of(keys.begin(), keys.end(), is_called))) return;
  std::string text;
  for (const std::string& path : paths) text += (text.empty() ? "\"" : " or \"") + path + "\"";
  if (guessed) {
    fault.hint.pop_back();  // its question mark
    fault.hint += ", or " + text + "?";
  } else {
    const std::string here =
        fault.hint.starts_with(known) ? "known here: " + fault.hint.substr(known.size()) : fault.hint;
    fault.hint = std::string(guess) + text + "? " + here;
  }
}

}  // namespace

void point_elsewhere(const Value& resolved, const Components& components, Diagnostics& faults) {
  std::vector<Key> keys;
  for (Diagnostic& fault : faults) {
    if (!fault.message.starts_with(unknown) || !fault.message.ends_with('"')) continue;
    if (keys.empty()) {
      Keys all(components);
      all.table(&resolved, schema_of<Experiment>().fields(), "");
      keys = std::move(all.out);
    }
    point(fault, fault.message.substr(unknown.size(), fault.message.size() - unknown.size() - 1), keys);
  }
}

}  // namespace nephron::host
