#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nephron/component.hpp>
#include <nephron/context.hpp>
#include <nephron/error.hpp>
#include <nephron/plugin.hpp>
#include <nephron/schema.hpp>

namespace nephron::host {

/// What a plugin file says of one component, read without loading it.
struct ComponentInfo {
  std::string kind;
  std::string name;
  std::string doc;
  std::string plugin;
  std::string version;
  std::filesystem::path file;
  bool needs_torch = false;
};

/// Where plugins are looked for (SDK rule 7), first to last.
struct PluginSearch {
  std::vector<std::filesystem::path> command_line;  ///< files, `--plugin`
  std::vector<std::filesystem::path> experiment;    ///< files, `plugins = [...]`
  bool folders = true;  ///< also NEPHRON_PLUGIN_PATH, the user's folder and the install folder
};

/// All components that can be had. Reads metadata at once, loads a plugin when a component of it is wanted.
/// Thread-safe after construction.
class Registry {
 public:
  /// Throws Error for a file named explicitly that cannot be used, or has a component that another one has too; files
  /// found in folders are only set aside, with their reasons in rejected(), and components of one name in clashes().
  explicit Registry(const PluginSearch& search = {});
  ~Registry();

  const std::vector<ComponentInfo>& components() const noexcept;
  struct Rejected {
    std::filesystem::path file;
    std::string reason;
  };
  const std::vector<Rejected>& rejected() const noexcept;
  /// A component that several files found in folders have: none of them is taken, find() says why.
  struct Clash {
    std::string kind, name;
    std::vector<std::filesystem::path> files;
    Error error() const;  ///< says which files, and how to settle it
  };
  const std::vector<Clash>& clashes() const noexcept;

  /// Throws Error ("unknown loss ...", did you mean) when there is none, or several.
  const ComponentInfo& find(std::string_view kind, std::string_view name) const;
  std::vector<std::string> names(std::string_view kind) const;

  /// Loads the plugin.
  const SchemaBase& schema(std::string_view kind, std::string_view name) const;

  /// Loads the plugin and makes the component. The component is known to origin_of() (guard.hpp). Every failure becomes
  /// an Error that names plugin, component and place.
  std::shared_ptr<Component> create(std::string_view kind, const ComponentSpec& spec, Context& context) const;
  template <class Base>
  std::shared_ptr<Base> create(const ComponentSpec& spec, Context& context) const {
    auto made = std::dynamic_pointer_cast<Base>(create(Base::kind, spec, context));
    if (made == nullptr) throw Error("component \"" + spec.type + "\" is not a " + std::string(Base::kind));
    return made;
  }

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nephron::host
