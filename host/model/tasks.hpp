#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace nephron::host {

// What the `model` commands do. Free of LibTorch, so that the command line compiles without it.

struct ModelFacts {
  struct Part {
    std::string name;  ///< "encoder", "decoder", "segmentation_head"
    std::int64_t parameters = 0;
    std::int64_t buffers = 0;  ///< numbers that are not trained
  };
  struct Map {
    std::int64_t channels = 0, stride = 1, height = 0, width = 0;
  };
  std::vector<Part> parts;
  std::vector<Map> levels;
  std::int64_t tile = 0;
  std::int64_t batch = 0;
  std::int64_t multiply_adds = 0;    ///< of one tile forward: convolutions and matrix products
  std::int64_t kept_bytes = 0;       ///< activations of one tile that wait for the backward pass
  std::int64_t inference_bytes = 0;  ///< the most that is alive at a time for one tile without gradients
};

struct ModelRequest {
  std::filesystem::path file;
  std::vector<std::string> overrides;
  std::vector<std::filesystem::path> plugins;
};

/// Builds the experiment's model with random weights and runs one tile of it, counting as it goes.
ModelFacts model_facts(const ModelRequest& request);
/// A table for people.
std::string text_of(const ModelFacts& facts);

struct ForwardRequest {
  ModelRequest model;
  std::filesystem::path weights;  ///< empty: those that the file names, or random ones
  std::filesystem::path input;    ///< holds "input" [N, C, H, W]
  std::filesystem::path output;   ///< gets "output"
};

/// One forward pass in evaluation mode from file to file.
void model_forward(const ForwardRequest& request);

}  // namespace nephron::host
