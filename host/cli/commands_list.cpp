// __commands: what this program has, written beside it when it is built, so that `nephron --help` need not start it.
#include <memory>

#include <nlohmann/json.hpp>

#include <host/cli/command.hpp>
#include <host/util/files.hpp>

namespace nephron::host {

namespace {

std::string list_of(const CLI::App& app) {
  nlohmann::ordered_json out = nlohmann::ordered_json::array();
  for (const Command& command : commands()) {
    const std::string name = command.name;
    if (name.find(' ') != std::string::npos) continue;  // belongs to a group
    const CLI::App* const sub = app.get_subcommand(name);
    out.push_back({{"name", name},
                   {"order", command.order},
                   {"doc", sub->get_description()},
                   {"shown", !sub->get_group().empty()}});
  }
  return out.dump(1) + "\n";
}

void add_list(CLI::App& app, int&) {
  CLI::App* const command = app.add_subcommand("__commands", "")->group("");
  const auto file = std::make_shared<std::string>();
  command->add_option("FILE", *file)->required();
  command->callback([&app, file] { write_file_atomically(*file, list_of(app)); });
}

}  // namespace

NEPHRON_COMMAND("__commands", 1002, add_list)

}  // namespace nephron::host
