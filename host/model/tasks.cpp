#include <host/model/tasks.hpp>

#include <cstdio>
#include <optional>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/rand.h>

#include <host/config/load.hpp>
#include <host/model/meter.hpp>
#include <host/model/model.hpp>
#include <host/weights/weights.hpp>

namespace nephron::host {

namespace {

std::int64_t count(const std::vector<at::Tensor>& tensors) {
  std::int64_t n = 0;
  for (const at::Tensor& t : tensors) n += t.numel();
  return n;
}

/// The part of an experiment that makes a model; the rest of the file is not looked at.
struct ModelFile {
  std::vector<std::string> classes;
  std::vector<std::filesystem::path> plugins;
  ModelConfig model;

  static void describe(Schema<ModelFile>& s) {
    s.field("classes", &ModelFile::classes, "names of the classes").required();
    s.field("plugins", &ModelFile::plugins, "plugin files").must_exist();
    s.field("model", &ModelFile::model, "encoder and decoder").required();
  }
};

ModelFile load_model_file(const ModelRequest& request) {
  Diagnostics faults;
  const Value resolved = resolve_experiment(request.file, request.overrides, faults);
  Value part{Value::Table{}};
  part.source = resolved.source;
  for (const FieldInfo& field : schema_of<ModelFile>().fields())
    if (const Value* value = resolved.find(field.name); value != nullptr) part.set(field.name, *value);
  DecodeContext context{faults};
  ModelFile file = schema_of<ModelFile>().decode(part, context);
  if (!faults.empty()) throw ConfigError(std::move(faults));
  return file;
}

std::string scaled(double value, const char* unit) {
  const char* prefixes[] = {"", "k", "M", "G", "T"};
  std::size_t i = 0;
  for (; value >= 1000 && i + 1 < std::size(prefixes); ++i) value /= 1000;
  char text[48];
  std::snprintf(text, sizeof text, i == 0 ? "%.0f %s%s" : "%.2f %s%s", value, prefixes[i], unit);
  return text;
}

std::string row(const char* format, auto... values) {
  char text[200];
  std::snprintf(text, sizeof text, format, values...);
  return text;
}

}  // namespace

ModelFacts model_facts(const ModelRequest& request) {
  std::unique_ptr<Registry> registry;
  PluginSearch search;
  search.command_line = request.plugins;
  const Experiment experiment = load_experiment(request.file, request.overrides, search, registry);
  const auto model = build_model(experiment.model, static_cast<std::int64_t>(experiment.classes.size()), *registry,
                                 static_cast<std::uint64_t>(experiment.seed), /*load=*/false);
  ModelFacts facts{.parts = {}, .levels = {}, .tile = experiment.data.tile, .batch = experiment.train.batch};
  for (const auto& child : model->named_children())
    facts.parts.push_back({child.key(), count(child.value()->parameters()), count(child.value()->buffers())});
  for (const Level& level : model->levels())
    facts.levels.push_back({level.channels, level.stride, facts.tile / level.stride, facts.tile / level.stride});
  const at::Tensor image = at::rand({2, experiment.model.in_channels, facts.tile, facts.tile});
  // Two tiles in training: batch normalisation needs more than one value at the coarsest level.
  model->train();
  at::Tensor logits;
  facts.kept_bytes = measure([&] { logits = model->forward(image); }).held / 2;
  model->eval();
  const at::NoGradGuard no_grad;
  const Measured inference = measure([&] { logits = model->forward(image.narrow(0, 0, 1)); });
  facts.multiply_adds = inference.multiply_adds;
  facts.inference_bytes = inference.peak;
  return facts;
}

std::string text_of(const ModelFacts& facts) {
  std::string text = row("%-20s %14s %14s\n", "part", "parameters", "buffers");
  std::int64_t parameters = 0;
  for (const auto& part : facts.parts) {
    text += row("%-20s %14lld %14lld\n", part.name.c_str(), static_cast<long long>(part.parameters),
                static_cast<long long>(part.buffers));
    parameters += part.parameters;
  }
  text += row("%-20s %14lld\n\n", "total", static_cast<long long>(parameters));
  text += row("%-8s %10s %8s %12s\n", "level", "channels", "stride", "map");
  for (std::size_t i = 0; i < facts.levels.size(); ++i) {
    const auto& map = facts.levels[i];
    const std::string size = std::to_string(map.width) + "x" + std::to_string(map.height);
    text += row("%-8zu %10lld %8lld %12s\n", i, static_cast<long long>(map.channels),
                static_cast<long long>(map.stride), size.c_str());
  }
  const auto per_batch = static_cast<double>(facts.kept_bytes) * static_cast<double>(facts.batch);
  text += "\none tile of " + std::to_string(facts.tile) + "x" + std::to_string(facts.tile) + ", fp32:\n";
  text += "  forward             " + scaled(static_cast<double>(facts.multiply_adds), "MAC") + " (" +
          scaled(2 * static_cast<double>(facts.multiply_adds), "FLOP") + "; backward about twice that)\n";
  text += "  training activations " + scaled(static_cast<double>(facts.kept_bytes), "B") + ", for a batch of " +
          std::to_string(facts.batch) + " " + scaled(per_batch, "B") + "\n";
  text += "  inference at most    " + scaled(static_cast<double>(facts.inference_bytes), "B") + "\n";
  text += "weights, gradients and Adam's moments: " + scaled(16 * static_cast<double>(parameters), "B");
  return text;
}

void model_forward(const ForwardRequest& request) {
  const ModelFile file = load_model_file(request.model);
  PluginSearch search;
  search.command_line = request.model.plugins;
  search.experiment = file.plugins;
  const Registry registry(search);
  const bool own = !request.weights.empty();
  const auto model =
      build_model(file.model, static_cast<std::int64_t>(file.classes.size()), registry, 0, /*load=*/!own);
  if (own) apply_weights(*model, read_tensors(request.weights), file.model.strict, request.weights.string());
  const TensorMap inputs = read_tensors(request.input);
  const auto found = inputs.find("input");
  if (found == inputs.end()) throw Error(request.input.string() + " holds no tensor called \"input\"");
  const at::Tensor& input = found->second;
  if (input.dim() != 4 || input.size(1) != file.model.in_channels || !input.is_floating_point())
    throw Error("\"input\" of " + request.input.string() + " is " + shape_text(input.sizes()) +
                "; floating-point images of shape Nx" + std::to_string(file.model.in_channels) + "xHxW were expected");
  const at::NoGradGuard no_grad;
  model->eval();
  write_tensors(request.output, {{"output", model->forward(input.to(at::kFloat))}});
}

}  // namespace nephron::host
