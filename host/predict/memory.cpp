#include <host/predict/memory.hpp>

#include <string>

#include <nephron/nn/first_weights.hpp>

#include <host/device/autocast.hpp>
#include <host/model/memory_need.hpp>
#include <host/model/model.hpp>
#include <host/predict/networks.hpp>

namespace nephron::host {

void require_prediction_memory(const PredictSettings& settings, const Experiment& experiment, const Registry& registry,
                               c10::Device device, int processes) {
  if (settings.tile <= 0) return;
  const ModelConfig& config = experiment.model;
  const auto classes = static_cast<std::int64_t>(experiment.classes.size());
  const nn::WithoutFirstWeights only_sizes;
  const auto model = build_model(config, classes, registry, static_cast<std::uint64_t>(experiment.seed),
                                 /*load=*/false);
  const Autocast autocast(c10::kCPU, device.is_cpu() ? autocast_type(settings.precision, device) : std::nullopt);
  const PassMemory pass = measure_pass(*model, config.in_channels, /*training=*/false);
  const auto pictures = static_cast<double>(
                 pictures_together(settings.batch, settings.tile * settings.tile, settings.tta.size(), device)),
             side = static_cast<double>(settings.tile);
  // Bytes, floats and a turned copy of the tiles, and their probabilities.
  const double per_pixel = memory_in_pieces * pass.per_pixel + 3 + 2 * 3 * 4 + 3 * 4 * static_cast<double>(classes);
  const auto networks = static_cast<std::int64_t>(settings.weights.size());
  const std::int64_t packed = device.is_cpu() ? 4 : 0;  // minimal filtering keeps four times a convolution's weights
  require_memory("predicting with " + std::to_string(settings.batch) + " tiles of " + std::to_string(settings.tile) +
                     " px at a time" + (processes > 1 ? " in " + std::to_string(processes) + " processes" : ""),
                 processes * (program_memory + networks * (1 + packed) * pass.parameters +
                              static_cast<std::int64_t>(per_pixel * pictures * side * side)),
                 free_on(device), processes > 1 ? "Lower --jobs, --batch or --tile." : "Lower --batch or --tile.");
}

}  // namespace nephron::host
