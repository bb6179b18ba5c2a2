#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <c10/core/Device.h>

#include <host/config/experiment.hpp>
#include <host/plugins/registry.hpp>
#include <host/tiling/tile_source.hpp>

namespace nephron::host {

struct NetworkOptions {
  std::string device = "auto";               ///< as of training
  std::string precision = "fp32";            ///< "fp32", "bf16", "fp16"
  std::vector<std::string> tta{"identity"};  ///< identity, flip_x, flip_y, flip_xy
  int threads = 0;                           ///< of the CPU backend; 0: all cores
  bool each_flip = false;  ///< maps of each of `tta` alone follow the joined ones: classes * (1 + flips) in all
};

/// Pictures (tiles, each in every direction) that go through a network together, of batches of `tiles` that have `area`
/// pixels: on a CPU few, because more gain nothing there and their maps leave the caches.
std::int64_t pictures_together(std::int64_t tiles, std::int64_t area, std::size_t directions,
                               c10::Device device) noexcept;

/// Throws Error that lists the known names when one of `tta` is unknown or there is none, UsageError when one is named
/// twice.
void check_tta(const std::vector<std::string>& tta);

/// The experiment's model once for each of `weights`, ready to predict: the mean of their probabilities over all of
/// `tta`.
/// Throws Error when weights do not fit.
std::unique_ptr<PixelModel> open_networks(const Experiment& experiment, const Registry& registry,
                                          const std::vector<std::filesystem::path>& weights,
                                          const NetworkOptions& options);

}  // namespace nephron::host
