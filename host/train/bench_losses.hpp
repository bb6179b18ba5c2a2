#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace nephron::host {

/// Forward and backward of losses on logits held in memory: no network.
struct BenchLossesRequest {
  std::filesystem::path cases;  ///< TOML: [[case]] with name, type and the loss's parameters
  int batch = 8;
  int classes = 2;
  std::int64_t tile = 512;
  double right = 2;  ///< logits are this towards the target, plus noise of spread 2
  int steps = 5;
  int threads = 0;
  std::string device = "cpu";
};

/// Prints one line of JSON: NAME_ms of each case, a median.
void bench_losses(const BenchLossesRequest& request);

}  // namespace nephron::host
