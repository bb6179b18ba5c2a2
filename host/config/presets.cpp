#include <host/config/presets.hpp>

#include <algorithm>

#include <host/config/experiment.hpp>
#include <host/config/merge.hpp>
#include <host/config/substitute.hpp>
#include <host/util/pages.hpp>

namespace nephron::host {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view prefix = "augment-", suffix = ".toml";

fs::path folder() { return experiments_folder() / "base"; }

bool is_file_name(const std::string& name) { return name.find('/') != std::string::npos || name.ends_with(suffix); }

class Expander {
 public:
  Expander(std::string key, Diagnostics& faults, const ReadPreset& read)
      : key_(std::move(key)), faults_(faults), read_(read) {}

  void chain(Value& v) {
    if (v.is(Value::Type::table) && v.find("preset") != nullptr) return whole(v);
    list(v, /*inside=*/false);
  }

 private:
  void fault(const Source& source, std::string message, std::string hint = {}) {
    faults_.push_back({source, std::move(message), std::move(hint)});
  }

  /// `inside`: of the `of` of a link, where a place in the list and a p mean something.
  void list(Value& v, bool inside) {
    if (!v.is(Value::Type::array)) return;
    Value::Array out;
    for (Value& link : v.array()) {
      if (Value* const of = link.find("of")) list(*of, true);
      if (link.find("preset") == nullptr) out.push_back(std::move(link));
      else put(out, link, inside);
    }
    v.array() = std::move(out);
  }

  /// What a link stands for that names a preset; nothing of one that is at fault.
  void put(Value::Array& out, const Value& link, bool inside) {
    for (const Value::Member& m : link.table())
      if (m.key != "preset" && m.key != "p")
        return fault(m.source, "a link with \"preset\" has \"p\" besides, and no \"" + m.key + "\"",
                     m.key == "type" ? "leave one of the two out: a preset is a chain of links with types of their own"
                                     : "[" + key_ + "] preset = \"NAME\" takes changes of its links");
    std::optional<Value> links = links_of(*link.find("preset"));
    if (!links) return;
    if (!inside && link.find("p") == nullptr) {
      std::move(links->array().begin(), links->array().end(), std::back_inserter(out));
      return;
    }
    Value sequence{Value::Table{}};
    sequence.source = link.source;
    sequence.set("type", "sequence").source = link.source;
    if (const Value* const p = link.find("p")) sequence.set("p", *p);
    sequence.set("of", std::move(*links)).source = link.source;
    out.push_back(std::move(sequence));
  }

  /// A table in place of the list: a chain that is a preset, and changes of it.
  void whole(Value& v) {
    std::optional<Value> links = links_of(*v.find("preset"));
    Value changes = v;
    std::erase_if(changes.table(), [](const Value::Member& m) { return m.key == "preset"; });
    v = Value(Value::Array{});
    v.source = changes.source;
    if (!links) return;
    v.array() = std::move(links->array());
    if (changes.table().empty()) return;
    Value all{Value::Table{}}, over{Value::Table{}};
    all.set(key_, std::move(v));
    over.set(key_, std::move(changes));
    merge(all, over, schema_of<Experiment>().fields(), faults_);
    v = std::move(*all.find(key_));
  }

  /// The chain of the file that a preset is.
  std::optional<Value> links_of(const Value& preset) {
    if (!preset.is(Value::Type::string)) {
      fault(preset.source, "\"preset\" must be a name or a file, not " + std::string(Value::name_of(preset.type())));
      return std::nullopt;
    }
    Value name = preset;
    const std::size_t before = faults_.size();
    substitute(name, faults_);
    if (faults_.size() != before) return std::nullopt;
    const std::optional<fs::path> file = file_of(name);
    if (!file) return std::nullopt;
    std::optional<Value> read = read_(*file, preset.source);
    if (!read) return std::nullopt;
    Value* const links = read->find(key_);
    if (links != nullptr && links->is(Value::Type::array)) return std::move(*links);
    fault(preset.source, "the preset \"" + name.string() + "\" has no [[" + key_ + "]]: " + file->string());
    return std::nullopt;
  }

  std::optional<fs::path> file_of(const Value& preset) {
    const std::string& name = preset.string();
    std::error_code error;
    if (is_file_name(name)) {
      const fs::path file = detail::resolve(preset, name);
      if (fs::is_regular_file(file, error)) return file;
      fault(preset.source, "\"preset\" names a file that is not there: " + file.string(),
            "a path is relative to the file that states it");
      return std::nullopt;
    }
    const fs::path file = folder() / (std::string(prefix) + name + std::string(suffix));
    if (fs::is_regular_file(file, error)) return file;
    const std::vector<std::string> names = preset_names();
    const std::string near = nearest(name, names);
    std::string known;
    for (const std::string& n : names) known += (known.empty() ? "" : ", ") + n;
    fault(preset.source, "unknown preset \"" + name + "\"",
          (near.empty() ? "" : "did you mean \"" + near + "\"? ") +
              "known: " + (known.empty() ? "none; " + folder().string() + " has no augment-NAME.toml" : known) +
              "; a file of your own is named with its ending, .toml");
    return std::nullopt;
  }

  std::string key_;
  Diagnostics& faults_;
  const ReadPreset& read_;
};

}  // namespace

std::vector<std::string> preset_names() {
  std::vector<std::string> out;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder(), error)) {
    const std::string name = entry.path().filename().string();
    if (name.size() > prefix.size() + suffix.size() && name.starts_with(prefix) && name.ends_with(suffix))
      out.push_back(name.substr(prefix.size(), name.size() - prefix.size() - suffix.size()));
  }
  std::sort(out.begin(), out.end());
  return out;
}

void expand_presets(Value& experiment, Diagnostics& faults, const ReadPreset& read) {
  for (const std::string_view key : {OfSamples::kind, OfBatches::kind})
    if (Value* const chain = experiment.find(key)) Expander(std::string(key), faults, read).chain(*chain);
}

}  // namespace nephron::host
