#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include <host/config/experiment.hpp>

namespace nephron::host {

/// How Segmentation Models PyTorch (Python, version 0.6.0) is asked for the same model.
struct SmpModel {
  std::string decoder;                ///< "Unet"; empty: it has none, and `why` says so
  nlohmann::ordered_json arguments;   ///< of that class, encoder_name among them
  std::string padding = "smp-0.6.0";  ///< of EfficientNet's strided convolutions; or "smp-2021"
  std::string why;
};

SmpModel smp_model(const ModelConfig& config, std::size_t classes);

}  // namespace nephron::host
