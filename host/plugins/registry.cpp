#include <host/plugins/registry.hpp>

#include <algorithm>
#include <map>
#include <mutex>

#include <host/plugins/elf_records.hpp>
#include <host/plugins/fingerprint.hpp>
#include <host/plugins/guard.hpp>
#include <host/plugins/library.hpp>
#include <host/plugins/probe.hpp>
#include <host/plugins/search.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

/// A usable plugin file, loaded when first wanted.
struct Plugin {
  fs::path file;
  PluginRecords records;
  bool installed = false;
  bool named = false;
  std::mutex mutex;
  const detail::PluginTable* table = nullptr;

  const detail::PluginTable& load() {
    const std::lock_guard lock(mutex);
    if (table == nullptr) {
      if (!installed) probe(file, records);
      table = &load_library(file, records);
    }
    return *table;
  }
};

std::string component_text(std::string_view kind, std::string_view name) {
  return std::string(kind) + " \"" + std::string(name) + "\"";
}

std::string list_of(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& n : names) (out += out.empty() ? "" : ", ") += "\"" + n + "\"";
  return out;
}

}  // namespace

struct Registry::State {
  struct Refused {  // its records were read, so that find() can say why a component is not there
    PluginRecords records;
    std::string reason;
  };
  std::vector<std::unique_ptr<Plugin>> plugins;
  std::vector<ComponentInfo> components;
  std::map<std::pair<std::string, std::string>, std::pair<std::size_t, Plugin*>, std::less<>> by_name;
  std::vector<Rejected> rejected;
  std::vector<Refused> refused;
  std::vector<Clash> clashes;

  void read(const FoundFile& found) {
    PluginRecords records;
    try {
      records = read_records(found.file);
      require_fitting(found.file.string(), records);
    } catch (const Error& e) {
      if (found.named) throw;
      rejected.push_back({found.file, e.what()});
      if (!records.name.empty()) refused.push_back({std::move(records), e.what()});
      return;
    }
    auto plugin = std::make_unique<Plugin>();
    plugin->file = found.file;
    plugin->records = std::move(records);
    plugin->installed = found.installed;
    plugin->named = found.named;
    for (const auto& component : plugin->records.components) add(*plugin, component);
    plugins.push_back(std::move(plugin));
  }

  void add(Plugin& plugin, const PluginRecords::Component& component) {
    const auto [slot, is_new] = by_name.try_emplace({component.kind, component.name}, components.size(), &plugin);
    if (!is_new) return note_clash(*slot->second.second, plugin, component);
    components.push_back({.kind = component.kind,
                          .name = component.name,
                          .doc = component.doc,
                          .plugin = plugin.records.name,
                          .version = plugin.records.version,
                          .file = plugin.file,
                          .needs_torch = !plugin.records.torch.empty()});
  }

  void note_clash(const Plugin& first, const Plugin& second, const PluginRecords::Component& component) {
    auto clash = std::find_if(clashes.begin(), clashes.end(),
                              [&](const Clash& c) { return c.kind == component.kind && c.name == component.name; });
    if (clash == clashes.end())
      clash = clashes.insert(clash, {.kind = component.kind, .name = component.name, .files = {first.file}});
    clash->files.push_back(second.file);
    if (first.named || second.named) throw clash->error();
  }

  /// What was found several times is not there: which one was meant, nobody knows.
  void drop_clashes() {
    for (const Clash& c : clashes) {
      by_name.erase({c.kind, c.name});
      std::erase_if(components, [&](const ComponentInfo& i) { return i.kind == c.kind && i.name == c.name; });
    }
  }

  const std::pair<std::size_t, Plugin*>& find(std::string_view kind, std::string_view name) const {
    const auto found = by_name.find(std::pair{std::string(kind), std::string(name)});
    if (found == by_name.end()) throw_unknown(kind, name);
    return found->second;
  }

  std::vector<std::string> names(std::string_view kind) const {
    std::vector<std::string> out;
    for (const auto& [key, where] : by_name)
      if (key.first == kind) out.push_back(key.second);
    return out;
  }

  [[noreturn]] void throw_unknown(std::string_view kind, std::string_view name) const {
    for (const Clash& c : clashes)
      if (c.kind == kind && c.name == name) throw c.error();
    const std::string what = "unknown " + component_text(kind, name);
    for (const Refused& r : refused)
      for (const auto& c : r.records.components)
        if (c.kind == kind && c.name == name) throw Error(what + ": " + r.reason);
    const std::vector<std::string> known = names(kind);
    const std::string near = nearest(name, known);
    std::string hint =
        "no plugin that was found has a component of this kind; --plugin FILE or NEPHRON_PLUGIN_PATH adds plugins";
    if (!near.empty()) hint = "did you mean \"" + near + "\"?";
    else if (!known.empty()) hint = "known: " + list_of(known);
    if (!rejected.empty())
      hint += " (`nephron plugins list` says why files were set aside: " + std::to_string(rejected.size()) + ")";
    throw Error(what, hint);
  }

  const detail::ComponentOps& ops(std::string_view kind, std::string_view name) const {
    const detail::PluginTable& table = find(kind, name).second->load();
    const auto* code = std::find_if(table.begin, table.end, [&](const detail::ComponentCode& c) {
      return c.record->kind.chars == kind && c.record->name.chars == name;
    });
    return *code->ops;  // load_library() made sure that it is there
  }

  Origin origin(std::string_view kind, std::string_view name, std::string doing) const {
    const Plugin& plugin = *find(kind, name).second;
    return {.plugin = plugin_text(plugin.records, plugin.file),
            .component = component_text(kind, name),
            .place = {},
            .doing = std::move(doing)};
  }
};

Registry::Registry(const PluginSearch& search) : state_(std::make_unique<State>()) {
  for (const FoundFile& found : find_plugin_files(search)) state_->read(found);
  state_->drop_clashes();
  std::map<std::string_view, std::size_t> order;
  for (std::size_t i = 0; i < kinds.size(); ++i) order[kinds[i].name] = i;
  const auto rank = [&](const ComponentInfo& c) { return order.contains(c.kind) ? order[c.kind] : kinds.size(); };
  std::stable_sort(state_->components.begin(), state_->components.end(),
                   [&](const ComponentInfo& a, const ComponentInfo& b) {
                     return std::pair{rank(a), std::string_view(a.name)} < std::pair{rank(b), std::string_view(b.name)};
                   });
  for (std::size_t i = 0; i < state_->components.size(); ++i)
    state_->by_name.find(std::pair{state_->components[i].kind, state_->components[i].name})->second.first = i;
}

Registry::~Registry() = default;

const std::vector<ComponentInfo>& Registry::components() const noexcept { return state_->components; }
const std::vector<Registry::Rejected>& Registry::rejected() const noexcept { return state_->rejected; }
const std::vector<Registry::Clash>& Registry::clashes() const noexcept { return state_->clashes; }

Error Registry::Clash::error() const {
  const std::string count = files.size() == 2 ? "two" : std::to_string(files.size());
  std::string text = component_text(kind, name) + " is in " + count + " plugin files (SDK rule 7): ";
  for (std::size_t i = 0; i < files.size(); ++i)
    text += (i == 0 ? "" : i + 1 == files.size() ? " and " : ", ") + files[i].string();
  return Error(text, "rename one of the components, or take one of the files out of the search");
}

const ComponentInfo& Registry::find(std::string_view kind, std::string_view name) const {
  return state_->components[state_->find(kind, name).first];
}

std::vector<std::string> Registry::names(std::string_view kind) const { return state_->names(kind); }

const SchemaBase& Registry::schema(std::string_view kind, std::string_view name) const {
  const detail::ComponentOps& ops = state_->ops(kind, name);
  return guarded(state_->origin(kind, name, "when it told its parameters"),
                 [&]() -> const SchemaBase& { return ops.schema(); });
}

std::shared_ptr<Component> Registry::create(std::string_view kind, const ComponentSpec& spec, Context& context) const {
  const detail::ComponentOps& ops = state_->ops(kind, spec.type);
  Origin origin = state_->origin(kind, spec.type, "when it was made");
  origin.place = spec.source.str();
  std::shared_ptr<Component> made = guarded(origin, [&] { return ops.create(spec.params, context); });
  if (made == nullptr)
    throw PluginError(origin.component + " of plugin " + origin.plugin + " gave no object when it was made");
  return with_origin(std::move(made), std::move(origin));
}

}  // namespace nephron::host
