#include <host/train/memory.hpp>

#include <algorithm>
#include <limits>
#include <optional>
#include <string>

#include <malloc.h>

#include <nephron/nn/first_weights.hpp>

#include <host/device/autocast.hpp>
#include <host/model/memory_need.hpp>
#include <host/train/optimizer.hpp>

namespace nephron::host {

void keep_freed_memory() {
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
  mallopt(M_TOP_PAD, 64 << 20);
}

namespace {

struct Need {
  std::int64_t fixed = 0;
  double per_tile = 0;
  std::int64_t of(int batch) const { return fixed + static_cast<std::int64_t>(per_tile * batch); }
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
  // Validation has no gradients, and twice as many tiles in a batch.
  const double per_pixel =
      std::max(training.per_pixel, 2 * validation.per_pixel) + batch_itself + (device.is_cpu() ? made_ahead : 0);
  const auto side = static_cast<double>(experiment.data.tile);
  return {program_memory + (2 + moments) * training.parameters, memory_in_pieces * per_pixel * side * side};
}

}  // namespace

std::int64_t training_memory(const Experiment& experiment, const Registry& registry, c10::Device device) {
  return need_of(experiment, registry, device).of(experiment.train.batch);
}

void require_training_memory(const Experiment& experiment, const Registry& registry, c10::Device device) {
  const Need need = need_of(experiment, registry, device);
  const std::int64_t free = free_on(device);
  const int batch = experiment.train.batch, tile = experiment.data.tile;
  const auto room = 0.8 * static_cast<double>(free) - static_cast<double>(need.fixed);
  const int fits = static_cast<int>(std::clamp(room / need.per_tile, 0.0, static_cast<double>(batch)));
  require_memory("training with batches of " + std::to_string(batch) + " tiles of " + std::to_string(tile) + " px",
                 need.of(batch), free,
                 (fits > 0 ? "train.batch = " + std::to_string(fits) + " fits" : "Lower train.batch") +
                     (fits == 0 ? "" : ", with train.accumulate for steps as large as before") +
                     "; a smaller data.tile or model takes less as well.");
}

}  // namespace nephron::host
