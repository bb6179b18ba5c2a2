#include <host/inference/model_export.hpp>

#include <array>
#include <memory>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>
#include <nephron/nn/first_weights.hpp>
#include <nephron/version.hpp>

#include <host/config/normalise_link.hpp>
#include <host/config/run_experiment.hpp>
#include <host/inference/smp_model.hpp>
#include <host/inference/torchscript.hpp>
#include <host/model/model.hpp>
#include <host/runs/checkpoint_digests.hpp>
#include <host/runs/chosen_folds.hpp>
#include <host/runs/run.hpp>
#include <host/util/command_output.hpp>
#include <host/util/files.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/log.hpp>
#include <host/weights/weights.hpp>

namespace nephron::host {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* loader_text =
#include <host/inference/loader.inc>
    ;

/// Heads that only training uses.
constexpr std::string_view auxiliary = "auxiliary_heads.";

/// A fold's model and the files that it becomes.
struct Job {
  ExportedModel result;
  fs::path weights;
  std::string weights_sha256;
  bool torchscript = true;
  fs::path file(const char* name) const { return result.folder / name; }
  std::vector<CommandOutput> outputs(bool overwrite) const {
    std::vector<CommandOutput> out;
    for (const char* name : {"model.safetensors", "model.json", "loader.py", "README.md", "model.pt"})
      if (torchscript || std::string_view(name) != "model.pt")
        out.emplace_back(file(name), overwrite, std::vector<fs::path>{weights});
    return out;
  }
};

std::vector<Job> jobs_of(const ModelExportRequest& request, const RunFolder& run) {
  const std::vector<int> folds = chosen_folds(run, request.fold);
  std::vector<Job> jobs;
  for (const int k : folds) {
    Job& job = jobs.emplace_back();
    job.result.fold = k;
    job.result.folder = folds.size() == 1 ? request.out : request.out / ("fold-" + std::to_string(k));
    job.weights = fs::canonical(run.fold(k).weights(request.checkpoint));
    job.torchscript = request.torchscript;
    job.outputs(request.overwrite);  // refuses what is there before any work
    job.weights_sha256 = sha256_of(job.weights);
    require_as_written(job.weights, job.weights_sha256);
  }
  return jobs;
}

Json json_of(const Value& threshold) {
  if (threshold.is(Value::Type::string)) return threshold.string();
  return threshold.number();
}

Json facts(const Experiment& experiment, const RunFolder& run, const Job& job, const ModelExportRequest& request,
           std::int64_t multiple) {
  const DataConfig& data = experiment.data;
  Json out{{"format", 1},
           {"nephron", NEPHRON_NN_TEXT(NEPHRON_SDK_MAJOR, NEPHRON_SDK_MINOR, NEPHRON_SDK_PATCH)},
           {"experiment", experiment.name},
           {"run", run.folder().filename().string()},
           {"fold", job.result.fold},
           {"checkpoint", request.checkpoint},
           {"classes", experiment.classes},
           {"exclusive", experiment.exclusive},
           {"normalisation", {{"mean", data.mean}, {"std", data.std}, {"of", "RGB / 255"}}}};
  if (const AugmentationConfig* const link = normalise_link_of(experiment))
    for (const AugmentationConfig& part : link->of)
      out["colours"].push_back(part.component.type + " " + part.component.params.str());
  if (data.mpp > 0) out["mpp"] = data.mpp;
  else out["factor"] = data.factor;
  out["tile"] = data.tile;
  out["multiple"] = multiple;
  out["overlap"] = experiment.predict.overlap;
  out["tta"] = experiment.predict.tta;
  out["threshold"] = json_of(experiment.predict.threshold);
  out["encoder"] = experiment.model.encoder.component.type;
  out["decoder"] = experiment.model.decoder.type;
  const SmpModel smp = smp_model(experiment.model, experiment.classes.size());
  out["smp"] = smp.decoder.empty()
                   ? Json()
                   : Json{{"class", smp.decoder}, {"arguments", smp.arguments}, {"padding", smp.padding}};
  if (!smp.why.empty()) out["smp_missing"] = smp.why;
  out["sha256"] = {{"experiment.resolved.toml", sha256_of(run.experiment())},
                   {"weights of the run", job.weights_sha256},
                   {"model.safetensors", sha256_of(job.file("model.safetensors"))}};
  return out;
}

std::string readme(const Experiment& experiment, const Job& job, const Json& about) {
  std::string text = "# " + experiment.name + ", fold " + std::to_string(job.result.fold) + "\n\nWritten by nephron " +
                     about["nephron"].get<std::string>() + " from the run " + about["run"].get<std::string>() + ".\n\n";
  text +=
      "| file | has |\n|---|---|\n| model.safetensors | the weights, under the names of Segmentation Models PyTorch "
      "|\n";
  text += "| model.json | classes, normalisation, reduction, tile, threshold; how the model is built; digests |\n";
  text += "| loader.py | builds it in Python and predicts a picture; `python loader.py --help` |\n";
  if (job.torchscript && job.result.no_torchscript.empty())
    text += "| model.pt | TorchScript: `torch.jit.load`, logits of normalised pictures of " +
            std::to_string(experiment.data.tile) + " x " + std::to_string(experiment.data.tile) + " px |\n";
  if (!job.result.no_smp.empty()) text += "\nloader.py cannot build this model: " + job.result.no_smp + ".\n";
  if (!job.result.no_torchscript.empty()) text += "\nThere is no TorchScript: " + job.result.no_torchscript + ".\n";
  text += "\nThe model takes RGB / 255, minus mean, divided by std, of slides reduced ";
  text += about.contains("mpp") ? "to " + about["mpp"].dump() + " um a pixel" : "by " + about["factor"].dump();
  text += " (area means). It gives a logit a class; ";
  text += experiment.exclusive ? "classes exclude each other, and the background's logit is 0.\n"
                               : "the sigmoid of each is its probability.\n";
  if (about.contains("colours"))
    text +=
        "\nIts pictures go through the experiment's \"normalise\" first (model.json, \"colours\"), which loader.py "
        "does not do: give it pictures whose colours are normalised.\n";
  return text;
}

void write_one(Job& job, const Experiment& experiment, const Registry& registry, const RunFolder& run,
               const ModelExportRequest& request) {
  const nn::WithoutFirstWeights all_are_loaded;
  const auto model = build_model(experiment.model, static_cast<std::int64_t>(experiment.classes.size()), registry,
                                 static_cast<std::uint64_t>(experiment.seed), /*load=*/false);
  TensorMap tensors = read_tensors(job.weights);
  apply_weights(*model, tensors, /*strict=*/true, job.weights.string());
  model->eval();
  std::erase_if(tensors, [](const auto& named) { return named.first.starts_with(auxiliary); });
  std::vector<CommandOutput> outputs = job.outputs(request.overwrite);
  for (const CommandOutput& output : outputs) output.prepare();
  write_tensors(job.file("model.safetensors"), tensors, {{"format", "pt"}});
  job.result.no_smp = smp_model(experiment.model, experiment.classes.size()).why;
  if (job.torchscript) {
    const fs::path made = job.file("model.pt.tmp");
    job.result.no_torchscript =
        write_torchscript(*model, experiment.model.in_channels, experiment.data.tile, made).value_or("");
    if (job.result.no_torchscript.empty()) fs::rename(made, job.file("model.pt"));
  }
  const Json about = facts(experiment, run, job, request, model->multiple());
  write_file_atomically(job.file("model.json"), about.dump(2) + "\n");
  write_file_atomically(job.file("loader.py"), loader_text);
  write_file_atomically(job.file("README.md"), readme(experiment, job, about));
}

}  // namespace

std::vector<ExportedModel> export_models(const ModelExportRequest& request) {
  const RunFolder run = RunFolder::open(request.run);
  std::unique_ptr<Registry> registry;
  PluginSearch search;
  search.command_line = request.plugins;
  const Experiment experiment = load_run_experiment(run.experiment(), {}, search, registry);
  if (normalise_link_of(experiment) != nullptr)
    log().warning(
        "the run normalises the colours of slides, and what is exported does not: give it pictures that are "
        "normalised");
  std::vector<Job> jobs = jobs_of(request, run);
  std::vector<ExportedModel> out;
  for (Job& job : jobs) {
    if (interrupted()) throw Cancelled();
    write_one(job, experiment, *registry, run, request);
    out.push_back(job.result);
  }
  return out;
}

}  // namespace nephron::host
