#include <host/check/check.hpp>

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include <host/check/report_lines.hpp>
#include <host/plugins/child.hpp>
#include <host/plugins/elf_records.hpp>
#include <host/plugins/fingerprint.hpp>

namespace nephron::host {

namespace {

using nlohmann::json;

/// One component's checks, in as many children as it takes.
class ComponentCheck {
 public:
  ComponentCheck(const std::filesystem::path& file, const PluginRecords::Component& component,
                 const CheckOptions& options, const std::function<void(CheckRow)>& add)
      : file_(file), component_(component), options_(options), add_(add) {}

  void run() {
    while (!finished_) {
      running_.clear();
      const std::size_t before = done_.size();
      LineReader lines([&](const json& event) { take(event); });
      const ChildEnd end = run_child(command(), options_.patience, [&](std::string_view text) { lines.add(text); });
      if (finished_) return;
      fail_running(end);
      if (done_.size() == before || running_ == load_check) return;  // no use in trying again
    }
  }

 private:
  std::vector<std::string> command() const {
    std::vector<std::string> out{"/proc/self/exe", "__check", file_.string(), component_.kind, component_.name};
    for (const std::string& o : options_.overrides)
      if (const std::string own = override_of(o); !own.empty()) out.insert(out.end(), {"--set", own});
    for (const std::string& c : options_.classes) out.insert(out.end(), {"--class", c});
    for (const std::filesystem::path& f : options_.files) out.insert(out.end(), {"--file", f.string()});
    for (const std::string& d : done_) out.insert(out.end(), {"--skip", d});
    return out;
  }

  /// What an override says to this component: "root=..." as it is, "NAME.root=..." of its own without the name; "" when
  /// it is another's. A parameter's name has no dot.
  std::string override_of(const std::string& text) const {
    const std::size_t equals = text.find('='), dot = text.rfind('.', equals);
    if (dot == std::string::npos || equals == std::string::npos) return text;
    return text.substr(0, dot) == component_.name ? text.substr(dot + 1) : "";
  }

  void take(const json& event) {
    if (event.contains("begin")) running_ = event["begin"];
    else if (event.contains("finished")) finished_ = true;
    else if (event.contains("end")) {
      const std::string check = event["end"];
      running_.clear();
      // Loading is done by every child, and told once.
      if (std::find(done_.begin(), done_.end(), check) != done_.end()) return;
      done_.push_back(check);
      add_({.component = {},
            .check = check,
            .outcome = event["outcome"],
            .detail = event["detail"],
            .seconds = event["seconds"]});
    }
  }

  void fail_running(const ChildEnd& end) {
    if (running_.empty()) running_ = load_check;
    std::string what = "the component ended the process: ";
    if (end.silent) what = "the component hung: ";
    else if (end.signal == 0) what = "the component called exit(): ";
    if (std::find(done_.begin(), done_.end(), running_) == done_.end()) done_.push_back(running_);
    add_({.component = {},
          .check = running_,
          .outcome = "failed",
          .detail = what + end.text(),
          .seconds = end.silent ? end.patience : 0});
  }

  const std::filesystem::path& file_;
  const PluginRecords::Component& component_;
  const CheckOptions& options_;
  const std::function<void(CheckRow)>& add_;
  std::vector<std::string> done_;
  std::string running_;
  bool finished_ = false;
};

/// What --component and --set name has to be there: nothing checked is nothing found.
void require_named(const PluginRecords& records, const CheckOptions& options) {
  std::vector<std::string> names;
  for (const PluginRecords::Component& component : records.components) names.push_back(component.name);
  const auto require = [&](const std::string& name, const std::string& option) {
    if (std::find(names.begin(), names.end(), name) != names.end()) return;
    std::string all;
    for (const std::string& n : names) all += (all.empty() ? "" : ", ") + n;
    const std::string near = nearest(name, names);
    throw Error(option + ": the plugin has no component \"" + name + "\"; it has " + all,
                near.empty() ? "" : "did you mean \"" + near + "\"?");
  };
  if (!options.component.empty()) require(options.component, "--component " + options.component);
  for (const std::string& text : options.overrides) {
    const std::size_t equals = text.find('='), dot = text.rfind('.', equals);
    if (equals != std::string::npos && dot != std::string::npos) require(text.substr(0, dot), "--set " + text);
  }
}

}  // namespace

std::vector<CheckRow> check_plugin(const std::filesystem::path& file, const CheckOptions& options,
                                   const std::function<void(const CheckRow&)>& on_row) {
  std::vector<CheckRow> rows;
  const auto add = [&](CheckRow row) {
    rows.push_back(std::move(row));
    on_row(rows.back());
  };
  PluginRecords records;
  const auto whole_file = [&](const char* check, const auto& body) {
    try {
      body();
      add({.component = {}, .check = check, .outcome = "passed", .detail = {}, .seconds = 0});
      return true;
    } catch (const Error& e) {
      add({.component = {}, .check = check, .outcome = "failed", .detail = e.what(), .seconds = 0});
      return false;
    }
  };
  const auto require_components = [&] {
    records = read_records(file);
    if (records.components.empty()) throw Error("it has no components", "NEPHRON_COMPONENT(...) registers one");
  };
  if (!whole_file("records", require_components)) return rows;
  if (!whole_file("fingerprint", [&] { require_fitting(file.string(), records); })) return rows;

  require_named(records, options);
  for (const PluginRecords::Component& component : records.components) {
    if (!options.component.empty() && component.name != options.component) continue;
    const std::function<void(CheckRow)> add_here = [&](CheckRow row) {
      row.component = component.kind + " " + component.name;
      add(std::move(row));
    };
    ComponentCheck(file, component, options, add_here).run();
  }
  return rows;
}

}  // namespace nephron::host
