// extends and --set: from files and command line to one table.
#include <algorithm>
#include <optional>

#include <host/config/bases.hpp>
#include <host/config/load.hpp>
#include <host/config/merge.hpp>
#include <host/config/presets.hpp>
#include <host/config/resolved.hpp>
#include <host/config/substitute.hpp>

namespace nephron::host {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_files = 64;  // that an experiment is made of
constexpr std::size_t most_parts = 32;  // of a --set key

const std::vector<FieldInfo>& sections() { return schema_of<Experiment>().fields(); }

/// "a.b.c" or "a.\"b.c\"" as parts; empty when there is an empty part.
std::vector<std::string> split_key(std::string_view key) {
  std::vector<std::string> parts(1);
  bool quoted = false;
  for (const char c : key) {
    if (c == '"') quoted = !quoted;
    else if (c == '.' && !quoted) parts.emplace_back();
    else parts.back() += c;
  }
  if (quoted || std::any_of(parts.begin(), parts.end(), [](const std::string& p) { return p.empty(); })) return {};
  return parts;
}

void set_source(Value& v, const Source& source) {
  v.source = source;
  if (v.is(Value::Type::array))
    for (Value& x : v.array()) set_source(x, source);
  if (v.is(Value::Type::table))
    for (Value::Member& m : v.table()) m.source = source, set_source(m.value, source);
}

/// What follows "=": TOML, or else a bare word, which is a string.
bool parse_setting(const std::string& text, Value& out) {
  try {
    const Value parsed = parse_toml("value = " + text + "\n", "--set");
    if (const Value* v = parsed.find("value"); v != nullptr && parsed.table().size() == 1) return out = *v, true;
  } catch (const ConfigError&) {  // a bare word is no TOML
  }
  if (text.find_first_of("\"'[]{}\n") != std::string::npos && text.find("${") == std::string::npos) return false;
  out = Value(text);
  return true;
}

class Resolver {
 public:
  explicit Resolver(Diagnostics& faults) : faults_(faults) {}

  Value file(const fs::path& path) {
    Value own = parse_toml(path);
    chain_.push_back(path);
    expand(own);
    Value out{Value::Table{}};
    const Value* const extends = own.find("extends");
    if (extends != nullptr) out = bases(Value(*extends));
    chain_.pop_back();
    if (extends == nullptr) return own;
    std::erase_if(own.table(), [](const Value::Member& m) { return m.key == "extends"; });
    merge(out, own, sections(), faults_);
    return out;
  }

  /// The bases of a file without the file itself.
  std::optional<Value> bases_of(const fs::path& path) {
    const Value own = parse_toml(path);
    const Value* const extends = own.find("extends");
    if (extends == nullptr) return std::nullopt;
    chain_.push_back(path);
    Value out = bases(*extends);
    chain_.pop_back();
    return out;
  }

  /// What `extends` and --set have made may name a preset where no file did.
  void expand(Value& experiment) {
    expand_presets(experiment, faults_, [this](const fs::path& path, const Source& at) { return other(path, at); });
  }

  void set(Value& experiment, const std::string& setting) {
    const Source source{std::make_shared<const std::string>("--set " + setting), 0, 0};
    const std::size_t equals = setting.find('=');
    const std::vector<std::string> parts =
        split_key(std::string_view(setting).substr(0, std::min(equals, setting.size())));
    if (equals == std::string::npos || parts.empty() || parts.size() > most_parts)
      return fault(source, "a setting is KEY=VALUE", "such as train.lr=1e-3 or dataset.0.share=0.2");
    Value value;
    if (equals + 1 == setting.size()) return fault(source, "the value is missing", "an empty string is written \"\"");
    if (!parse_setting(setting.substr(equals + 1), value))
      return fault(source, "the value is not TOML", "quote strings; a shell takes quotes away: --set 'key=\"value\"'");
    for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
      Value table{Value::Table{}};
      table.set(*part, std::move(value));
      value = std::move(table);
    }
    set_source(value, source);
    lay(experiment, std::move(value));
  }

  void lay(Value& experiment, Value over) {
    expand(over);
    const Source root = experiment.source;
    merge(experiment, over, sections(), faults_);
    experiment.source = root;
  }

 private:
  void fault(const Source& source, std::string message, std::string hint = {}) {
    faults_.push_back({source, std::move(message), std::move(hint)});
  }

  Value bases(const Value& list) {
    Value out{Value::Table{}};
    if (list.is(Value::Type::array)) {
      for (const Value& v : list.array()) base(out, v);
    } else {
      base(out, list);
    }
    return out;
  }

  void base(Value& out, const Value& named) {
    if (!named.is(Value::Type::string)) return fault(named.source, "\"extends\" must be a file or a list of files");
    Value name = named;
    const std::size_t before = faults_.size();
    substitute(name, faults_);
    if (faults_.size() != before) return;
    const fs::path path = detail::resolve(name, name.string());
    std::error_code error;
    if (!fs::is_regular_file(path, error))
      return fault(named.source, "\"extends\" names a file that is not there: " + path.string(),
                   "a path is relative to the file that states it");
    if (const auto read = other(path, named.source)) merge(out, *read, sections(), faults_);
  }

  /// A file that another one names; nothing when it is at fault, which is added.
  std::optional<Value> other(const fs::path& path, const Source& at) {
    if (in_circle(path, at)) return std::nullopt;
    if (++files_ > most_files) {
      fault(at, "more than " + std::to_string(most_files) + " files name each other");
      return std::nullopt;
    }
    try {
      return file(path);
    } catch (const ConfigError& e) {
      faults_.insert(faults_.end(), e.faults().begin(), e.faults().end());
      return std::nullopt;
    }
  }

  bool in_circle(const fs::path& path, const Source& at) {
    std::error_code error;
    const auto same = [&](const fs::path& p) { return fs::equivalent(p, path, error); };
    const auto first = std::find_if(chain_.begin(), chain_.end(), same);
    if (first == chain_.end()) return false;
    std::string circle;
    for (auto p = first; p != chain_.end(); ++p) circle += p->string() + " -> ";
    fault(at, "files name each other in a circle: " + circle + path.string(), "let one of them name none");
    return true;
  }

  Diagnostics& faults_;
  std::vector<fs::path> chain_;
  std::size_t files_ = 0;
};

}  // namespace

Value resolve_experiment(const fs::path& file, const std::vector<std::string>& overrides, Diagnostics& faults) {
  Resolver resolver(faults);
  Value out{Value::Table{}};
  try {
    out = resolver.file(file);
  } catch (const ConfigError& e) {
    faults.insert(faults.end(), e.faults().begin(), e.faults().end());
    return out;
  }
  out.source = {std::make_shared<const std::string>(file.string()), 1, 1};
  for (const std::string& setting : overrides) resolver.set(out, setting);
  resolver.expand(out);
  substitute(out, faults);
  return out;
}

void lay_upon(Value& experiment, const Value& over, Diagnostics& faults) {
  Resolver resolver(faults);
  resolver.lay(experiment, over);
  resolver.expand(experiment);
}

std::optional<Value> resolve_bases(const fs::path& file, Diagnostics& faults) {
  Resolver resolver(faults);
  try {
    std::optional<Value> out = resolver.bases_of(file);
    if (!out) return out;
    resolver.expand(*out);
    substitute(*out, faults);
    return out;
  } catch (const ConfigError& e) {
    faults.insert(faults.end(), e.faults().begin(), e.faults().end());
    return std::nullopt;
  }
}

}  // namespace nephron::host
