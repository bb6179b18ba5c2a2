#include <cstdio>
#include <memory>

#include <nlohmann/json.hpp>

#include <host/cli/command.hpp>
#include <host/synth/synth.hpp>

namespace nephron::host {

namespace {

struct SynthOptions {
  SynthRequest request;
  std::string size = "1024x1024";
  std::vector<std::filesystem::path> plugins;
  bool json = false;
};

Size size_of(const std::string& text) {
  Size size;
  char end = 0;
  long long width = 0, height = 0;
  if (std::sscanf(text.c_str(), "%lldx%lld%c", &width, &height, &end) != 2 || width < 64 || height < 64 ||
      width > 200000 || height > 200000)
    throw CLI::ValidationError("--size", "\"" + text + "\": expected WIDTHxHEIGHT, each from 64 to 200000");
  size = {width, height};
  return size;
}

void synth(SynthOptions options) {
  PluginSearch search;
  search.command_line = options.plugins;
  const Registry registry(search);
  options.request.size = size_of(options.size);
  const SynthOutcome outcome = write_synthetic(options.request, registry);
  if (options.json) {
    nlohmann::ordered_json json{
        {"out", options.request.out.string()}, {"written", outcome.written}, {"kept", outcome.kept}};
    json["tables"] = nlohmann::json::array();
    for (const auto& file : outcome.tables) json["tables"].push_back(file.string());
    std::printf("%s\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
    return;
  }
  std::printf("%s: %d slides", options.request.out.c_str(), outcome.written + outcome.kept);
  if (outcome.kept > 0) std::printf(", %d of them from before", outcome.kept);
  std::printf(", %zu tables and annotations\n", outcome.tables.size());
}

void add_synth(CLI::App& app, int& exit) {
  auto* command = app.add_subcommand("synth", "Write made-up slides as files, laid out as a published data set");
  const auto options = std::make_shared<SynthOptions>();
  SynthRequest& request = options->request;
  command->add_option("--layout", request.layout, "Whose folders and formats")
      ->check(CLI::IsMember({"kaggle", "mendeley", "portal"}))
      ->capture_default_str();
  command->add_option("--slides", request.slides, "Annotated slides; a third as many without annotation are added")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  command->add_option("--size", options->size, "Of a slide, px")->type_name("WxH")->capture_default_str();
  command->add_option("--seed", request.seed, "Another seed makes other slides")->capture_default_str();
  command->add_option("--dataset", request.dataset, "Dataset that makes the slides up [the only one that does]");
  command->add_option("--out", request.out, "Folder to write; what an interrupted call has finished there is kept")
      ->required();
  command->add_flag("--json", options->json, "Say what was written as JSON");
  command->add_option("--plugin", options->plugins, "A plugin file to use besides; may be repeated")
      ->allow_extra_args(false);
  command->callback([options, &exit] {
    synth(*options);
    exit = Exit::done;
  });
}

}  // namespace

NEPHRON_COMMAND("synth", 46, add_synth)

}  // namespace nephron::host
