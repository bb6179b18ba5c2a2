#include <host/cli/suggest.hpp>

#include <algorithm>

#include <nephron/value.hpp>

namespace nephron::host {

namespace {

std::string text_for(const std::string& kind, const std::string& word, const std::vector<std::string>& known) {
  const std::string near = nearest(word, known);
  return "unknown " + kind + " \"" + word + "\"" +
         (near.empty() ? "; --help lists what there is" : "; did you mean \"" + near + "\"?");
}

/// Those that --help shows: a group "" is for developers.
std::vector<std::string> commands_of(const CLI::App& app) {
  std::vector<std::string> out;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; }))
    if (!sub->get_group().empty()) out.push_back(sub->get_name());
  return out;
}

/// "--fold" of a command and of those above it, whose options it takes too.
std::vector<std::string> options_of(const CLI::App* app) {
  std::vector<std::string> out;
  for (; app != nullptr; app = app->get_parent())
    for (const CLI::Option* option : app->get_options())
      for (const std::string& name : option->get_lnames()) out.push_back("--" + name);
  return out;
}

bool known(const std::string& word, const std::vector<std::string>& names) {
  return std::find(names.begin(), names.end(), word) != names.end();
}

}  // namespace

std::string suggestion(const CLI::App& app, const std::vector<std::string>& arguments) {
  const CLI::App* command = &app;
  for (const std::string& argument : arguments) {
    if (argument == "--") break;
    if (argument.starts_with("--")) {
      const std::string name = argument.substr(0, argument.find('='));
      const std::vector<std::string> options = options_of(command);
      if (!known(name, options)) return text_for("option", name, options);
    } else if (!argument.starts_with("-") && !commands_of(*command).empty()) {
      const auto below = command->get_subcommands([&](const CLI::App* sub) { return sub->get_name() == argument; });
      if (below.empty()) return text_for("command", argument, commands_of(*command));
      command = below.front();
    }
  }
  return {};
}

}  // namespace nephron::host
