#include <host/predict/named_network.hpp>

#include <system_error>
#include <utility>

#include <nephron/error.hpp>

#include <host/runs/chosen_folds.hpp>
#include <host/runs/fold_number.hpp>
#include <host/util/usage_error.hpp>
#include <host/weights/named_weights.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

/// A path of a checkpoint: which fold it is of, and its weights.
struct Checkpoint {
  fs::path fold, weights;
};

std::optional<Checkpoint> checkpoint_at(const fs::path& path) {
  fs::path step = fs::absolute(path).lexically_normal();
  if (!step.has_filename()) step = step.parent_path();
  std::error_code none;
  const bool is_file = fs::is_regular_file(step, none);
  fs::path weights = is_file ? step : step / "weights.safetensors";
  if (is_file) step = step.parent_path();
  const fs::path fold = step.parent_path().parent_path();
  if (step.parent_path().filename() != "checkpoints" || !fold_number(fold)) return std::nullopt;
  if (!fs::exists(weights, none)) throw Error(path.string() + " is no checkpoint: it holds no weights.safetensors");
  return Checkpoint{fold, std::move(weights)};
}

}  // namespace

NamedNetwork NamedNetwork::of(const fs::path& path) {
  NamedNetwork out;
  std::error_code none;
  if (const auto checkpoint = checkpoint_at(path)) {
    out.run = RunFolder::open(checkpoint->fold);
    out.checkpoint = checkpoint->weights;
    out.place = checkpoint->weights;
  } else if (fs::is_regular_file(path, none)) {
    if (path.extension() != ".toml")
      throw UsageError(
          path.string() + " is neither a run, nor a checkpoint of one, nor an experiment",
          "Weights alone do not say their model: name them as model.weights of an experiment file, and that.");
    out.experiment = out.place = fs::absolute(path).lexically_normal();
    return out;
  } else {
    out.run = RunFolder::open(path);
    out.place = out.run->opened_fold() >= 0 ? out.run->fold(out.run->opened_fold()).folder : out.run->folder();
  }
  out.experiment = out.run->experiment();
  return out;
}

ChosenWeights chosen_weights(const NamedNetwork& network, const std::string& fold, const std::string& checkpoint,
                             const fs::path& weights) {
  ChosenWeights out;
  const bool open_to_choice = network.run && network.checkpoint.empty();
  if (!open_to_choice && (!fold.empty() || checkpoint != "best"))
    throw UsageError(network.place.string() + " is one network: --fold and --checkpoint choose among those of a run");
  if (!network.run) {
    if (weights.empty())
      throw UsageError(network.experiment.string() + " names no weights of its model",
                       "Say which: model.weights = \"FILE.safetensors\"; or name a run.");
    return {network.experiment, {}, "", {fs::canonical(weights_file(weights))}};
  }
  out.run = network.run->folder();
  if (!network.checkpoint.empty()) {
    const fs::path file = fs::canonical(network.checkpoint);
    return {out.run, {network.run->opened_fold()}, file.parent_path().filename().string(), {file}};
  }
  out.folds = chosen_folds(*network.run, fold);
  out.checkpoint = checkpoint;
  for (const int k : out.folds)  // the link moves on with training; its step says which weights
    out.files.push_back(fs::canonical(network.run->fold(k).weights(checkpoint)));
  return out;
}

}  // namespace nephron::host
