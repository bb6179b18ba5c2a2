#include <host/check/chosen.hpp>

#include <algorithm>
#include <map>

#include <nlohmann/json.hpp>

#include <host/check/overrides.hpp>
#include <host/check/report_lines.hpp>
#include <host/plugins/child.hpp>
#include <host/util/usage_error.hpp>

namespace nephron::host {

namespace {

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void require_component(const PluginRecords& records, const std::string& name, const std::string& option) {
  std::vector<std::string> names;
  for (const PluginRecords::Component& c : records.components) names.push_back(c.name);
  if (has(names, name)) return;
  std::sort(names.begin(), names.end());  // the linker's order is nobody's
  std::string all;
  for (const std::string& n : names) all += (all.empty() ? "" : ", ") + n;
  const std::string near = nearest(name, names);
  throw UsageError(option + ": the plugin has no component \"" + name + "\"; it has " + all,
                   near.empty() ? "" : "did you mean \"" + near + "\"?");
}

/// Options that are for one kind alone.
void require_kind(const std::vector<Chosen>& chosen, const std::string& kind, const std::string& option) {
  for (const Chosen& c : chosen)
    if (c.component.kind == kind) return;
  throw UsageError(option + " is for a " + kind + ", and " + chosen.front().component.kind + " \"" +
                   chosen.front().component.name + "\" is none");
}

void deal_overrides(const PluginRecords& records, const CheckOptions& options, std::vector<Chosen>& chosen) {
  for (const std::string& text : options.overrides) {
    const Override o = read_override(text);
    if (!o.component.empty()) {
      require_component(records, o.component, "--set " + text);
      if (!options.component.empty() && o.component != options.component)
        throw UsageError("--set " + text + " is for a component that --component " + options.component +
                         " leaves unchecked");
    }
    for (Chosen& c : chosen)
      if (o.component.empty() || o.component == c.component.name) c.overrides.push_back(text);
  }
}

std::vector<OverrideFault> told_faults(const std::filesystem::path& file, const Chosen& chosen, double patience) {
  std::vector<std::string> command{
      "/proc/self/exe",           "__check", file.string(), chosen.component.kind, chosen.component.name, "--only",
      CheckChild::parameters_task};
  for (const std::string& text : chosen.overrides) command.insert(command.end(), {"--set", text});
  std::vector<OverrideFault> out;
  LineReader lines([&](const nlohmann::json& event) {
    if (event.contains("set"))
      out.push_back(
          {.text = event["set"], .unknown = event["unknown"], .message = event["message"], .hint = event["hint"]});
  });
  run_child(command, patience, [&](std::string_view text) { lines.add(text); });
  return out;
}

/// An override that names no component is for those that have the parameter, one at least.
void settle_overrides(const std::filesystem::path& file, double patience, std::vector<Chosen>& chosen) {
  std::map<std::string, UsageError> refused;
  for (Chosen& c : chosen) {
    if (c.overrides.empty()) continue;
    for (const OverrideFault& f : told_faults(file, c, patience)) {
      if (!f.unknown) throw UsageError("--set " + f.text + ": " + f.message, f.hint);
      std::erase(c.overrides, f.text);
      refused.try_emplace(f.text,
                          "--set " + f.text + ": " + c.component.kind + " \"" + c.component.name +
                              "\" has no parameter \"" + read_override(f.text).key + "\"",
                          f.hint);
    }
  }
  for (const auto& refusal : refused)
    if (std::none_of(chosen.begin(), chosen.end(), [&](const Chosen& c) { return has(c.overrides, refusal.first); }))
      throw refusal.second;
}

}  // namespace

std::vector<Chosen> choose_components(const std::filesystem::path& file, const PluginRecords& records,
                                      const CheckOptions& options) {
  if (!options.component.empty()) require_component(records, options.component, "--component " + options.component);
  std::vector<Chosen> out;
  for (const PluginRecords::Component& c : records.components)
    if (options.component.empty() || c.name == options.component) out.push_back({.component = c, .overrides = {}});
  if (!options.classes.empty()) require_kind(out, "dataset", "--classes");
  if (!options.files.empty()) require_kind(out, "reader", "--file");
  deal_overrides(records, options, out);
  settle_overrides(file, options.patience, out);
  return out;
}

}  // namespace nephron::host
