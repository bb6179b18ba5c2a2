#include <host/train/memory.hpp>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <limits>
#include <new>
#include <optional>
#include <string>
#include <string_view>

#include <malloc.h>

#include <nephron/error.hpp>
#include <nephron/nn/first_weights.hpp>

#include <host/device/autocast.hpp>
#include <host/model/memory_need.hpp>
#include <host/runs/process.hpp>
#include <host/train/optimizer.hpp>
#include <host/util/shell_word.hpp>

namespace nephron::host {

void keep_freed_memory() {
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
  mallopt(M_TOP_PAD, 64 << 20);
}

void share_one_heap() { mallopt(M_ARENA_MAX, 1); }

void give_back_freed_memory() { malloc_trim(0); }

namespace {

struct Need {
  std::int64_t fixed = 0;
  double per_tile = 0;
  std::int64_t of(int batch) const { return fixed + static_cast<std::int64_t>(per_tile * batch); }
  /// That fit into so much, with some of it left.
  int tiles_in(std::int64_t memory) const {
    constexpr double most = 4096;
    return static_cast<int>(
        std::clamp((0.8 * static_cast<double>(memory) - static_cast<double>(fixed)) / per_tile, 0.0, most));
  }
};

Need need_of(const Experiment& experiment, const Registry& registry, c10::Device device) {
  const ModelConfig& config = experiment.model;
  const auto classes = static_cast<std::int64_t>(experiment.classes.size());
  const nn::WithoutFirstWeights only_sizes;
  const auto model = build_model(config, classes, registry, static_cast<std::uint64_t>(experiment.seed),
                                 /*load=*/false);
  const auto type = autocast_type(experiment.train.precision, device);
  const Autocast autocast(c10::kCPU, device.is_cpu() ? type : std::nullopt);
  PassMemory training =
      measure_pass(*model, config.in_channels, /*training=*/true, std::min(2, experiment.train.batch));
  PassMemory validation = measure_pass(*model, config.in_channels, /*training=*/false);
  // Measured in float32; what is kept for the backward takes half in the lower precision.
  if (type && !device.is_cpu()) training.per_pixel /= 2, validation.per_pixel /= 2;
  const std::int64_t moments =
      Optimizer::moments(experiment.train.optimizer) + (experiment.train.average.type == "none" ? 0 : 1);
  // Pixels and targets as floats and as the bytes that they were made of, and what losses make of the logits.
  const auto c = static_cast<double>(classes);
  const double batch_itself = 3 * 4 + 3 + c * (4 + 1) + c * 8 * 4;
  const double made_ahead = (experiment.data.prefetch + 2) * (3 + c);
  // Validation has no gradients, and twice as many tiles in a batch, or as many as a prediction.
  const double tiles = experiment.validation.how == "tiles"
                           ? 2.0
                           : static_cast<double>(experiment.prediction_batch()) / experiment.train.batch;
  // What a graph takes it keeps while others work; it has a batch of its own, and its gradients are compared once.
  const bool graph = experiment.train.cuda_graph;
  const double of_validation = tiles * validation.per_pixel;
  const double per_pixel =
      (graph ? training.per_pixel + of_validation + batch_itself : std::max(training.per_pixel, of_validation)) +
      batch_itself + (device.is_cpu() ? made_ahead : 0);
  const auto side = static_cast<double>(experiment.data.tile);
  return {program_memory + (2 + moments + (graph ? 1 : 0)) * training.parameters,
          memory_in_pieces * per_pixel * side * side};
}

}  // namespace

std::int64_t training_memory(const Experiment& experiment, const Registry& registry, c10::Device device) {
  return need_of(experiment, registry, device).of(experiment.train.batch);
}

void require_training_memory(const Experiment& experiment, const Registry& registry, c10::Device device, int together) {
  const Need need = need_of(experiment, registry, device);
  const std::int64_t free = free_on(device);
  const int batch = experiment.train.batch, tile = experiment.data.tile;
  const int fits = std::min(batch, need.tiles_in(free / together));
  require_memory("training " + (together > 1 ? std::to_string(together) + " folds at a time " : std::string()) +
                     "with batches of " + std::to_string(batch) + " tiles of " + std::to_string(tile) + " px",
                 together * need.of(batch), free,
                 (together > 1 ? "Lower --jobs, or: " : std::string()) +
                     (fits > 0 ? "train.batch = " + std::to_string(fits) + " fits" : "Lower train.batch") +
                     (fits == 0 ? "" : ", with train.accumulate for steps as large as before") +
                     "; a smaller data.tile or model takes less as well.");
}

int fitting_batch(const Experiment& experiment, const Registry& registry, c10::Device device, int together) {
  constexpr int most = 64;  // larger ones want another rate
  const int fits = need_of(experiment, registry, device).tiles_in(free_on(device) / together);
  return static_cast<int>(std::bit_floor(static_cast<unsigned>(std::clamp(fits, 1, most))));
}

void explain_out_of_memory(const std::exception& thrown, const Experiment& experiment, c10::Device device,
                           const std::filesystem::path& run) {
  const std::string_view text = thrown.what();
  // What a plugin threw has become a PluginError, which keeps the text: of LibTorch's allocators, or the standard's.
  const bool meant = dynamic_cast<const std::bad_alloc*>(&thrown) != nullptr ||
                     text.find("can't allocate memory") != text.npos || text.find("out of memory") != text.npos ||
                     text.find("std::bad_alloc") != text.npos;
  if (!meant) return;
  char peak[64], there[64];
  std::snprintf(peak, sizeof peak, "%.1f GB", peak_rss_mb() * (1 << 20) / 1e9);
  std::snprintf(there, sizeof there, "%.1f GB", static_cast<double>(free_on(device)) / 1e9);
  const TrainConfig& train = experiment.train;
  throw Error(
      "memory ran out: " + std::string(text.substr(0, text.find("\nException raised from"))) +
          "\n  this process had taken " + peak + " at most, and " + there + " are free on " + device.str() + " now",
      "Where other programs took it, go on: nephron train --resume " + shell_word(run.string()) +
          ". Otherwise begin anew with the weights (--from) and lower train.batch (" + std::to_string(train.batch) +
          "; train.accumulate keeps steps as large), data.tile (" + std::to_string(experiment.data.tile) +
          ") or data.prefetch (" + std::to_string(experiment.data.prefetch) + ")" +
          (train.precision == "fp32" ? ", or take train.precision = \"bf16\"." : "."));
}

}  // namespace nephron::host
