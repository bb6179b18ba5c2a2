#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <nephron/error.hpp>
#include <nephron/value.hpp>

#include <host/config/experiment.hpp>
#include <host/plugins/registry.hpp>

namespace nephron::host {

/// Every fault of an experiment. what() is the whole report, ready to print. The program exits with 2.
class ConfigError : public Error {
 public:
  explicit ConfigError(Diagnostics faults);
  ~ConfigError() override;
  const Diagnostics& faults() const noexcept { return faults_; }

 private:
  Diagnostics faults_;
};

/// One TOML file as a Value with sources; no extends, no substitution. Throws ConfigError.
Value parse_toml(const std::filesystem::path& file);
Value parse_toml(const std::string& text, const std::string& name);

/// The file with its `extends`, `--set` and ${ENV} carried out; faults are added, the rest is still returned.
Value resolve_experiment(const std::filesystem::path& file, const std::vector<std::string>& overrides,
                         Diagnostics& faults);

class Components;

/// The resolved table as an experiment, everything checked against what `components` knows. Adds faults; the result is
/// only good when there are none.
Experiment decode_experiment(const std::filesystem::path& file, Value resolved, const Components& components,
                             Diagnostics& faults);

/// Looks at an experiment once its file is checked, and adds faults to those that there are.
using FurtherCheck = std::function<void(const Experiment&, const Registry&, Diagnostics&)>;

/// Plugins named by the experiment are added to `search`; the registry that results is given back through `registry`.
/// Checks everything, components included, and `further` where it is given. Throws ConfigError with every fault.
Experiment load_experiment(const std::filesystem::path& file, const std::vector<std::string>& overrides,
                           PluginSearch search, std::unique_ptr<Registry>& registry, const FurtherCheck& further = {});

/// "file:line:column: error: message", the line, a caret, the hint; one block a fault.
std::string report(const Diagnostics& faults);

}  // namespace nephron::host
