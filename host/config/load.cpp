#include <host/config/load.hpp>

#include <algorithm>
#include <tuple>

#include <host/config/checks.hpp>
#include <host/config/components.hpp>
#include <host/config/far_keys.hpp>
#include <host/config/resolved.hpp>
#include <host/config/run_experiment.hpp>
#include <host/config/splits_file.hpp>
#include <host/util/pages.hpp>

namespace nephron::host {

namespace {

namespace fs = std::filesystem;

/// `of` has entries like the one that holds it; a schema cannot contain itself, so they are decoded here.
template <class Link>
void decode_choices(Link& holder, DecodeContext& context) {
  if (holder.of_table.is(Value::Type::null)) return;
  if (!holder.of_table.is(Value::Type::array))
    return detail::wrong_type(context, holder.of_table, "of", "an array of tables such as { type = \"NAME\" }");
  for (const Value& v : holder.of_table.array()) {
    holder.of.push_back(schema_of<Link>().decode(v, context));
    decode_choices(holder.of.back(), context);
  }
}

void fill_in(Experiment& e, const fs::path& file) {
  if (e.name.empty()) e.name = file.stem().string();
  for (DatasetConfig& d : e.datasets)
    if (d.name.empty()) d.name = d.component.type;
  e.validation_sampler = e.validation.sampler;
  e.file = file;
}

/// A run folder's name is made of it.
void check_name(const Experiment& e, const Value& resolved, Diagnostics& faults) {
  const bool good = e.name.size() <= 120 && e.name[0] != '.' && e.name[0] != '-' &&
                    std::all_of(e.name.begin(), e.name.end(), [](char c) {
                      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                             c == '_' || c == '-';
                    });
  if (good) return;
  const Value* written = resolved.find("name");
  faults.push_back({written != nullptr ? written->source : resolved.source,
                    "\"name\" becomes the name of a folder: letters, digits, '.', '_' and '-' only, 120 at most",
                    written != nullptr ? "" : "it was made of the file's name; give one in the file: name = \"...\""});
}

void make_path_absolute(Value& v) {
  if (!v.is(Value::Type::string) || v.string().empty()) return;
  const fs::path path = detail::resolve(v, v.string());
  if (path.string() == v.string() && v.string().find(':') != std::string::npos) return;  // "pypi:..."
  Value out(fs::absolute(path).lexically_normal().string());
  out.source = v.source;
  v = std::move(out);
}

void make_paths_absolute(Value& resolved, const Components& components) {
  walk_fields(resolved, schema_of<Experiment>().fields(), components, [](Value& table, const FieldInfo& field) {
    Value* v = table.find(field.name);
    if (v == nullptr) return;
    if (field.type == "path") make_path_absolute(*v);
    if (field.type == "array" && field.element->type == "path" && v->is(Value::Type::array))
      for (Value& x : v->array()) make_path_absolute(x);
  });
}

/// Folds that were written down say how many they are and how they were dealt: what the experiment says besides must
/// agree.
void take_splits(Experiment& e, Value& resolved, Diagnostics& faults) {
  FoldsConfig& folds = e.data.folds;
  if (folds.file.empty()) return;
  Value& section = *resolved.find("data")->find("folds");
  const Source source = section.find("file")->source;
  Splits splits;
  try {
    splits = read_splits(folds.file);
  } catch (const Error& error) {
    faults.push_back({source, error.what(), error.hint()});
    return;
  }
  const auto take = [&](const char* key, Value value) {
    const Value* const written = section.find(key);
    if (written == nullptr) {
      value.source = source;
      section.set(key, std::move(value));
    } else if (!(*written == value)) {
      faults.push_back({written->source,
                        std::string("\"") + key + "\" is " + written->str() + ", but the folds of " +
                            folds.file.string() + " have " + key + " = " + value.str(),
                        "write the same, or leave \"file\" out to deal the slides anew"});
    }
  };
  take("count", splits.count);
  take("by", splits.by);
  folds.count = splits.count;
  folds.by = splits.by;
}

/// A string whose variable is unset was reported; that it names no file as well is no news, nor are keys that a base
/// which could not be read would have given.
void drop_consequences(Diagnostics& faults, std::size_t known) {
  const auto same_place = [](const Source& a, const Source& b) {
    return a.line > 0 && a.line == b.line && a.column == b.column && a.file != nullptr && b.file != nullptr &&
           *a.file == *b.file;
  };
  const auto first = faults.begin() + static_cast<std::ptrdiff_t>(known);
  faults.erase(std::remove_if(first, faults.end(),
                              [&](const Diagnostic& d) {
                                if (known > 0 && d.message.ends_with("\" is missing")) return true;
                                return std::any_of(faults.begin(), first,
                                                   [&](const Diagnostic& k) { return same_place(k.source, d.source); });
                              }),
               faults.end());
}

/// Nobody wrote it, so its plugin may not be there.
void check_default_sampler(const Experiment& e, const Value& resolved, ComponentCheck& check, Diagnostics& faults) {
  const Value* section = resolved.find("validation");
  if (section != nullptr && section->find("sampler") != nullptr) return;
  Diagnostics found;
  check.component("sampler", e.validation_sampler, section != nullptr ? section->source : resolved.source, {}, found);
  for (Diagnostic& d : found) {
    d.message += ", which validation uses by default";
    d.hint += (d.hint.empty() ? "" : "; ") + std::string("or name one: [validation] sampler = { type = \"NAME\" }");
    faults.push_back(std::move(d));
  }
}

/// What `nephron sweep` takes is no experiment of its own.
void drop_sweep(Value& resolved, Diagnostics& faults) {
  const Value* const sweep = resolved.find("sweep");
  if (sweep == nullptr) return;
  faults.push_back({sweep->source, "[sweep] is no part of an experiment: this file is of many of them",
                    "nephron sweep FILE trains them; an experiment that this one extends is one by itself"});
  std::erase_if(resolved.table(), [](const Value::Member& m) { return m.key == "sweep"; });
}

/// In the order in which people read.
void sort(Diagnostics& faults) {
  std::stable_sort(faults.begin(), faults.end(), [](const Diagnostic& a, const Diagnostic& b) {
    const auto place = [](const Source& s) {
      return std::tuple(s.file == nullptr ? std::string() : *s.file, s.line, s.column);
    };
    return place(a.source) < place(b.source);
  });
}

/// Weights that training begins with, taken out of a table while it is checked: nobody asks whether they are there.
class FirstWeights {
 public:
  explicit FirstWeights(Value& resolved) : whole_(take(in(resolved))), encoder_(take(in_encoder(resolved))) {}

  void put_back(Experiment& e) {
    put(std::move(whole_), in(e.resolved), e.model.weights);
    put(std::move(encoder_), in_encoder(e.resolved), e.model.encoder.weights);
  }

 private:
  static Value* below(Value* table, const char* key) { return table == nullptr ? nullptr : table->find(key); }
  static Value* in(Value& resolved) { return below(resolved.find("model"), "weights"); }
  static Value* in_encoder(Value& resolved) { return below(below(resolved.find("model"), "encoder"), "weights"); }
  /// What is no text stays, and is told of.
  static Value take(Value* from) {
    if (from == nullptr || !from->is(Value::Type::string)) return {};
    Value out = *from, none("");
    none.source = from->source;
    *from = std::move(none);
    return out;
  }
  static void put(Value taken, Value* to, fs::path& path) {
    if (to == nullptr || !taken.is(Value::Type::string)) return;
    path = detail::resolve(taken, taken.string());
    make_path_absolute(taken);
    *to = std::move(taken);
  }

  Value whole_, encoder_;
};

PluginSearch with_plugins(PluginSearch search, const Value& resolved, Diagnostics& faults) {
  const Value* plugins = resolved.find("plugins");
  if (plugins == nullptr || !plugins->is(Value::Type::array)) return search;
  for (const Value& v : plugins->array()) {
    std::error_code error;
    if (!v.is(Value::Type::string)) continue;
    const fs::path file = detail::resolve(v, v.string());
    if (fs::exists(file, error)) search.experiment.push_back(file);
  }
  try {
    const Registry trial(search);
  } catch (const Error& e) {
    PluginSearch rest = search;
    rest.experiment.clear();
    const Registry without(rest);  // the command line is to origin when this fails, too
    faults.push_back({plugins->source, e.what(), e.hint()});
    return rest;
  }
  return search;
}

}  // namespace

Experiment decode_experiment(const fs::path& file, Value resolved, const Components& components, Diagnostics& faults) {
  const std::size_t known = faults.size();
  ComponentCheck check(components);
  DecodeContext context{faults, &check};
  Experiment e = schema_of<Experiment>().decode(resolved, context);
  for (AugmentationConfig& a : e.augmentations) decode_choices(a, context);
  for (BatchAugmentationConfig& a : e.batch_augmentations) decode_choices(a, context);
  fill_in(e, file);
  check_default_sampler(e, resolved, check, faults);
  check_name(e, resolved, faults);
  drop_consequences(faults, known);
  point_elsewhere(resolved, components, faults);
  check_together(e, resolved, faults);
  if (faults.empty()) take_splits(e, resolved, faults);
  if (faults.empty()) make_paths_absolute(resolved, components);
  e.resolved = std::move(resolved);
  return e;
}

Experiment load_experiment(const fs::path& file, const std::vector<std::string>& overrides, PluginSearch search,
                           std::unique_ptr<Registry>& registry, const FurtherCheck& further) {
  Diagnostics faults;
  Value resolved = resolve_experiment(file, overrides, faults);
  return load_resolved(file, std::move(resolved), std::move(search), registry, std::move(faults), further);
}

Experiment load_resolved(const fs::path& file, Value resolved, PluginSearch search, std::unique_ptr<Registry>& registry,
                         Diagnostics faults, const FurtherCheck& further) {
  drop_sweep(resolved, faults);
  if (!resolved.is(Value::Type::table) || resolved.table().empty()) {
    if (faults.empty())
      faults.push_back({resolved.source, "this experiment is empty", page("experiment.md") + " lists what it holds"});
    throw ConfigError(std::move(faults));
  }
  const std::size_t before = faults.size();
  search = with_plugins(std::move(search), resolved, faults);
  registry = std::make_unique<Registry>(search);
  if (faults.size() != before) throw ConfigError(std::move(faults));  // its components would all be unknown
  Experiment out = decode_experiment(file, std::move(resolved), RegistryComponents(*registry), faults);
  if (further) further(out, *registry, faults);
  sort(faults);
  if (!faults.empty()) throw ConfigError(std::move(faults));
  return out;
}

Experiment load_run_experiment(const fs::path& file, const std::vector<std::string>& overrides, PluginSearch search,
                               std::unique_ptr<Registry>& registry) {
  Diagnostics faults;
  Value resolved = resolve_experiment(file, overrides, faults);
  FirstWeights weights(resolved);
  Experiment out = load_resolved(file, std::move(resolved), std::move(search), registry, std::move(faults));
  weights.put_back(out);
  return out;
}

}  // namespace nephron::host
