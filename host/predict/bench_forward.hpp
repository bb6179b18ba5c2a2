#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace nephron::host {

/// A trained or untrained network on tiles held in memory, without reading and stitching.
struct BenchForwardRequest {
  std::string encoder;
  std::string decoder = "unet";
  std::filesystem::path weights;  ///< empty: random ones
  int batch = 8;
  std::int64_t tile = 512;
  int classes = 2;
  std::string precision = "fp32";
  std::vector<std::string> tta{"identity"};
  int runs = 5;
  int threads = 0;
  std::string device = "cpu";
  std::filesystem::path save;  ///< safetensors that gets the tiles ("images") and their "probabilities"; empty: none
};

/// Prints one line of JSON: median and fastest seconds a batch, and seconds to make the network ready.
void bench_forward(const BenchForwardRequest& request);

}  // namespace nephron::host
