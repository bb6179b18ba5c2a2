#include <host/config/components.hpp>

#include <algorithm>

#include <nephron/error.hpp>
#include <nephron/experiment_keys.hpp>

#include <host/config/experiment.hpp>
#include <host/config/normalise_link.hpp>

namespace nephron::host {

const std::vector<std::string>& combinators() {
  static const std::vector<std::string> names{"one_of", "sequence", "some_of", std::string(normalise_link)};
  return names;
}

namespace {
bool combines(std::string_view kind) { return kind == OfSamples::kind || kind == OfBatches::kind; }
}  // namespace

bool is_combinator(std::string_view kind, std::string_view name) {
  if (kind == OfBatches::kind && name == normalise_link) return false;
  return combines(kind) && std::find(combinators().begin(), combinators().end(), name) != combinators().end();
}

std::vector<std::string> RegistryComponents::names(std::string_view kind) const {
  std::vector<std::string> out = registry_.names(kind);
  for (const std::string& name : combinators())
    if (is_combinator(kind, name)) out.push_back(name);
  std::sort(out.begin(), out.end());
  return out;
}

std::string RegistryComponents::doc(std::string_view kind, std::string_view name) const {
  if (!is_combinator(kind, name)) return registry_.find(kind, name).doc;
  if (name == "some_of") return "a number of the augmentations in `of`, in their order, each with its p";
  if (name == normalise_link)
    return "augmentations of colours that draw nothing, in `of`: what every slide goes through before all else, in "
           "training, validation and prediction";
  return name == "one_of" ? "one of the augmentations in `of`, drawn by their p"
                          : "the augmentations in `of`, one after the other";
}

const SchemaBase& RegistryComponents::schema(std::string_view kind, std::string_view name) const {
  if (!is_combinator(kind, name)) return registry_.schema(kind, name);
  if (name == "some_of") return schema_of<SomeOfParams>();
  return schema_of<NoParams>();
}

namespace {
/// The kind that has a component of this name, when it is another one.
std::string other_kind(const Components& components, std::string_view kind, const std::string& name) {
  for (const KindInfo& k : kinds) {
    const std::vector<std::string> names = components.names(k.name);
    if (k.name != kind && std::find(names.begin(), names.end(), name) != names.end()) return std::string(k.name);
  }
  return {};
}
}  // namespace

void ComponentCheck::component(std::string_view kind, const ComponentSpec& spec, const Source& type_source,
                               const std::vector<FieldInfo>& own, Diagnostics& faults) {
  const std::vector<std::string> names = components_.names(kind);
  if (std::find(names.begin(), names.end(), spec.type) == names.end()) {
    const std::string near = nearest(spec.type, names);
    const std::string elsewhere = other_kind(components_, kind, spec.type);
    std::string known;
    for (const std::string& n : names) (known += known.empty() ? "" : ", ") += n;
    faults.push_back(
        {type_source, "unknown " + std::string(kind) + " \"" + spec.type + "\"",
         !elsewhere.empty() ? "\"" + spec.type + "\" is of kind " + elsewhere +
                                  (combines(elsewhere) ? ": put it under [[" + elsewhere + "]]" : "")
         : !near.empty() ? "did you mean \"" + near + "\"?"
         : names.empty()
             ? "no plugin has one; `nephron plugins list` shows which are found, `nephron doctor` which are not"
             : "known: " + known + "; one of your own: --plugin FILE, or plugins = [\"FILE\"]"});
    return;
  }
  try {
    DecodeContext context{faults, this, &own};
    const SchemaBase& schema = components_.schema(kind, spec.type);
    for (const FieldInfo& f : schema.fields())
      if (is_experiment_key(kind, f.name))
        faults.push_back({type_source,
                          "parameter \"" + f.name + "\" of " + std::string(kind) + " \"" + spec.type +
                              "\" has the name of a key that every such table has: it could never be given",
                          "its author gives it another name (<nephron/experiment_keys.hpp>)"});
    schema.check(spec.params, context);
  } catch (const Error& e) {
    faults.push_back({type_source, e.what(), e.hint()});
  }
}

namespace {

class Walker {
 public:
  Walker(const Components& components, const FieldVisit& visit) : components_(components), visit_(visit) {}

  void table(Value& at, const std::vector<FieldInfo>& fields, const FieldInfo* holder) {
    if (!at.is(Value::Type::table)) return;
    for (const FieldInfo& f : fields) {
      visit_(at, f);
      if (Value* v = at.find(f.name)) field(*v, f, holder);
    }
  }

 private:
  void field(Value& v, const FieldInfo& f, const FieldInfo* holder) {
    if (f.type == "array" && v.is(Value::Type::array)) {
      for (Value& x : v.array()) field(x, *f.element, holder);
    } else if (f.type == "any" && !f.component_kind.empty() && holder != nullptr && v.is(Value::Type::array)) {
      for (Value& x : v.array()) field(x, *holder, holder);  // entries like the one that holds them
    } else if (f.type == "table") {
      table(v, f.members, f.shared_kind.empty() ? holder : &f);
      if (!f.shared_kind.empty()) component(v, f.shared_kind);
    } else if (f.type == "component") {
      component(v, f.component_kind);
    }
  }

  void component(Value& v, const std::string& kind) {
    const Value* type = v.find("type");
    if (type == nullptr || !type->is(Value::Type::string)) return;
    const std::vector<std::string> names = components_.names(kind);
    if (std::find(names.begin(), names.end(), type->string()) == names.end()) return;
    table(v, components_.schema(kind, type->string()).fields(), nullptr);
  }

  const Components& components_;
  const FieldVisit& visit_;
};

}  // namespace

void walk_fields(Value& table, const std::vector<FieldInfo>& fields, const Components& components,
                 const FieldVisit& visit) {
  Walker(components, visit).table(table, fields, nullptr);
}

}  // namespace nephron::host
