#include <cstdio>
#include <memory>

#include <host/check/check.hpp>
#include <host/cli/command.hpp>
#include <host/cli/plugin_text.hpp>
#include <host/device/device.hpp>
#include <host/plugins/elf_records.hpp>
#include <host/plugins/probe.hpp>
#include <host/plugins/project.hpp>
#include <host/plugins/registry.hpp>
#include <host/plugins/scaffold.hpp>
#include <host/util/log.hpp>
#include <host/util/pages.hpp>
#include <host/util/shell_word.hpp>

namespace nephron::host {

namespace {

namespace fs = std::filesystem;

/// Options of all plugin commands; they live as long as the callbacks that hold them.
struct Options {
  std::vector<fs::path> plugins;
  bool json = false;
  std::string kind;
  std::string name;
  fs::path folder;
  CheckOptions check;
  CheckChild child;
};

PluginSearch search_of(const Options& o) {
  PluginSearch search;
  search.command_line = o.plugins;
  return search;
}

std::vector<std::string> kind_names() {
  std::vector<std::string> out;
  for (const KindInfo& k : kinds) out.emplace_back(k.name);
  return out;
}

void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void list(const Options& o) {
  const Registry registry(search_of(o));
  if (o.json) {
    nlohmann::ordered_json out{{"components", nlohmann::ordered_json::array()},
                               {"set_aside", nlohmann::ordered_json::array()},
                               {"clashes", nlohmann::ordered_json::array()}};
    for (const ComponentInfo& c : registry.components()) out["components"].push_back(as_json(c));
    for (const auto& r : registry.rejected())
      out["set_aside"].push_back({{"file", r.file.string()}, {"reason", r.reason}});
    for (const Registry::Clash& c : registry.clashes()) {
      nlohmann::ordered_json files = nlohmann::ordered_json::array();
      for (const fs::path& file : c.files) files.push_back(file.string());
      out["clashes"].push_back({{"kind", c.kind}, {"name", c.name}, {"files", files}});
    }
    return print(json_text(out) + "\n");
  }
  std::vector<std::vector<std::string>> rows{{"KIND", "NAME", "VERSION", "FILE", "WHAT IT IS"}};
  for (const ComponentInfo& c : registry.components())
    rows.push_back({c.kind, c.name, c.version, c.file.string(), c.doc});
  print(table_text(rows));
  for (const auto& r : registry.rejected()) log().warning("set aside: " + r.reason);
  for (const Registry::Clash& c : registry.clashes())
    log().warning("none is taken: " + std::string(c.error().what()) + "; " + c.error().hint());
}

void describe(const Options& o) {
  const Registry registry(search_of(o));
  const ComponentInfo& info = registry.find(o.kind, o.name);
  const SchemaBase& schema = registry.schema(o.kind, o.name);
  if (!o.json) return print(describe_text(info, schema));
  nlohmann::ordered_json out = as_json(info);
  out["parameters"] = nlohmann::ordered_json::array();
  for (const FieldInfo& f : schema.fields()) out["parameters"].push_back(as_json(f));
  print(json_text(out) + "\n");
}

/// The file itself, or the one that holds the plugin or component of this name. A name wins over what lies in the
/// working folder, where `plugins new NAME` makes a folder of that name.
fs::path file_of(const Options& o) {
  std::error_code failed;
  const fs::path here = fs::path(".") / o.name;
  const bool is_there = fs::is_regular_file(o.name, failed);
  if (o.name.find('/') != std::string::npos || (is_there && here.extension() == ".so")) return fs::absolute(o.name);
  const Registry registry(search_of(o));
  std::vector<std::string> names;
  for (const ComponentInfo& c : registry.components()) {
    if (c.plugin == o.name || c.name == o.name) {
      if (is_there)
        log().warning("checking the component \"" + o.name + "\" of " + c.file.string() +
                      "; the file of that name is " + here.string());
      return c.file;
    }
    names.push_back(c.plugin);
    names.push_back(c.name);
  }
  for (const Registry::Clash& c : registry.clashes())
    if (c.name == o.name) throw c.error();
  if (is_there) return fs::absolute(o.name);
  const std::string what = "\"" + o.name + "\" is neither a file nor the name of a plugin or component that was found";
  if (fs::is_directory(o.name, failed))
    throw Error(what + ", but a folder", "plugins build makes the file to check of a folder");
  const std::string near = nearest(o.name, names);
  throw Error(what, near.empty() ? "`nephron plugins list` shows what there is" : "did you mean \"" + near + "\"?");
}

/// Components of other files that have the name of one of this file: nephron takes no two.
std::vector<ComponentInfo> names_taken(const fs::path& file, const Options& o) {
  std::vector<ComponentInfo> out;
  try {
    const fs::path own = fs::canonical(file);
    const Registry registry(search_of(o));
    std::vector<ComponentInfo> others = registry.components();
    for (const Registry::Clash& c : registry.clashes())
      for (const fs::path& f : c.files) {
        ComponentInfo& one = others.emplace_back();
        one.kind = c.kind, one.name = c.name, one.file = f;
      }
    for (const PluginRecords::Component& c : read_records(file).components)
      for (const ComponentInfo& other : others)
        if (other.kind == c.kind && other.name == c.name && other.file != own) out.push_back(other);
  } catch (const std::exception&) {  // what is wrong with a file, its checks tell
  }
  return out;
}

std::string taken_text(const ComponentInfo& taken) {
  return "there is the " + taken.kind + " \"" + taken.name + "\" already, in " + taken.file.string() +
         ": nephron loads no two of one name; rename yours in NEPHRON_COMPONENT to load it beside that one";
}

int check(const Options& o) {
  const fs::path file = file_of(o);
  const auto show = [&](const CheckRow& r) {
    if (o.json) return;
    char line[256];
    std::snprintf(line, sizeof line, "%-28s  %-14s  %-7s  %6.2f s  ",
                  r.component.empty() ? "(file)" : r.component.c_str(), r.check.c_str(), r.outcome.c_str(), r.seconds);
    std::string text = line + r.detail;
    text.erase(text.find_last_not_of(' ') + 1);
    print(text + "\n");
    std::fflush(stdout);
  };
  const std::vector<CheckRow> rows = check_plugin(file, o.check, show);
  const std::vector<ComponentInfo> taken = names_taken(file, o);
  int failed = 0;
  int passed = 0;
  std::string said;
  for (const CheckRow& r : rows) {
    (r.outcome == "failed" ? failed : passed) += r.outcome != "skipped";
    said += r.detail;
  }
  if (o.json) {
    nlohmann::ordered_json out{
        {"file", file.string()}, {"passed", failed == 0}, {"checks", nlohmann::ordered_json::array()}};
    for (const CheckRow& r : rows)
      out["checks"].push_back({{"component", r.component},
                               {"check", r.check},
                               {"outcome", r.outcome},
                               {"detail", r.detail},
                               {"seconds", r.seconds}});
    out["names_taken"] = nlohmann::ordered_json::array();
    for (const ComponentInfo& c : taken)
      out["names_taken"].push_back({{"kind", c.kind}, {"name", c.name}, {"file", c.file.string()}});
    print(json_text(out) + "\n");
  } else {
    const int skipped = static_cast<int>(rows.size()) - failed - passed;
    print(file.string() + ": " + std::to_string(passed) + " passed, " + std::to_string(failed) + " failed, " +
          std::to_string(skipped) + " skipped" + rules_page(said) + "\n");
  }
  for (const ComponentInfo& c : taken) log().warning(taken_text(c));
  return failed == 0 ? Exit::done : Exit::failed;
}

void build(const Options& o) {
  for (const fs::path& file : build_plugin_project(o.folder))
    print("Check it:  nephron plugins check " + shell_word(file.string()) + "\n");
}

void write_new(Options& o) {
  if (o.folder.empty()) o.folder = o.name;
  for (const fs::path& file : write_new_plugin(o.kind, o.name, o.folder)) print("wrote " + file.string() + "\n");
  print("Build it:  nephron plugins build " + shell_word(o.folder.string()) + "\n" +
        "Check it:  nephron plugins check " + shell_word((o.folder / "build" / (o.name + ".so")).string()) + "\n");
  try {
    log().warning(taken_text(Registry(search_of(o)).find(o.kind, o.name)));
  } catch (const Error&) {  // as it should be: the name is free
  }
}

void add_shared(CLI::App* command, const std::shared_ptr<Options>& o, bool json) {
  command->add_option("--plugin", o->plugins, "Plugin file to use besides those that are found")
      ->type_name("FILE")
      ->allow_extra_args(false);
  if (json) command->add_flag("--json", o->json, "Print JSON");
}

void add_plugins(CLI::App& app, int& exit) {
  CLI::App* plugins = app.add_subcommand("plugins", "List, describe, begin, build and check plugins");
  plugins->require_subcommand(1);
  const auto o = std::make_shared<Options>();

  CLI::App* sub = plugins->add_subcommand("list", "What can be named in an experiment, without loading anything");
  add_shared(sub, o, true);
  sub->callback([o] { list(*o); });

  sub = plugins->add_subcommand("describe", "A component's parameters");
  sub->add_option("KIND", o->kind)->required()->check(CLI::IsMember(kind_names()));
  sub->add_option("NAME", o->name)->required();
  add_shared(sub, o, true);
  sub->callback([o] { describe(*o); });

  sub = plugins->add_subcommand("check", "Does a plugin keep what its kind promises? In child processes");
  sub->add_option("FILE|NAME", o->name, "A plugin file, or the name of a plugin or component")->required();
  sub->add_option("--set", o->check.overrides,
                  "A parameter of the component, or of one of several: COMPONENT.NAME=VALUE")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  sub->add_option("--classes", o->check.classes, "Classes that a dataset is asked for, comma-separated")
      ->delimiter(',')
      ->type_name("A,B");
  sub->add_option("--file", o->check.files, "A small slide that a reader can open; may be repeated")
      ->type_name("FILE")
      ->check(CLI::ExistingFile)
      ->allow_extra_args(false);
  sub->add_option("--component", o->check.component, "Check only this component of the file");
  sub->add_option("--timeout", o->check.patience, "Seconds that one check may take")
      ->check(CLI::Range(0.1, 86400.0))
      ->capture_default_str();
  add_shared(sub, o, true);
  sub->callback([o, &exit] {
    o->check.plugins = o->plugins;
    exit = check(*o);
  });

  sub = plugins->add_subcommand("new", "Write a new plugin that builds, and passes its check, as written");
  sub->add_option("KIND", o->kind)->required()->check(CLI::IsMember(kind_names()));
  sub->add_option("NAME", o->name)->required();
  sub->add_option("DIR", o->folder, "Folder to write into; default: NAME");
  sub->callback([o] { write_new(*o); });

  sub = plugins->add_subcommand("build", "Build a plugin's project with CMake against this nephron, in DIR/build");
  sub->add_option("DIR", o->folder, "Folder with the project's CMakeLists.txt")->required();
  sub->callback([o] { build(*o); });
}

/// Loads a plugin in this process, which its parent started for that (probe.hpp).
void add_probe(CLI::App& app, int&) {
  set_probe_command({"/proc/self/exe", "__probe"});
  CLI::App* command = app.add_subcommand("__probe", "")->group("");
  const auto file = std::make_shared<fs::path>();
  command->add_option("FILE", *file)->required();
  command->callback([file] { load_and_report_survival(*file); });
}

/// Makes the checks of one component in this process, which its parent started for that (check.hpp).
void add_check_child(CLI::App& app, int&) {
  CLI::App* command = app.add_subcommand("__check", "")->group("");
  const auto child = std::make_shared<CheckChild>();
  command->add_option("FILE", child->file)->required();
  command->add_option("KIND", child->kind)->required();
  command->add_option("NAME", child->name)->required();
  command->add_option("--set", child->overrides)->allow_extra_args(false);
  command->add_option("--class", child->classes)->allow_extra_args(false);
  command->add_option("--file", child->files)->allow_extra_args(false);
  command->add_option("--plugin", child->plugins)->allow_extra_args(false);
  command->add_option("--skip", child->skip)->allow_extra_args(false);
  command->add_option("--only", child->only);
  command->callback([child] {
    // Loading LibTorch's CUDA part takes seconds; a plugin without tensors has no use for it.
    child->no_cuda_because = "the plugin does not use LibTorch";
    if (!read_records(child->file).torch.empty() && cuda_available(&child->no_cuda_because)) child->cuda = "cuda:0";
    check_in_child(*child);
  });
}

}  // namespace

NEPHRON_COMMAND("plugins", 50, add_plugins)
NEPHRON_COMMAND("__probe", 1000, add_probe)
NEPHRON_COMMAND("__check", 1001, add_check_child)

}  // namespace nephron::host
