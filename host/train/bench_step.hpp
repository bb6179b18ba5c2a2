#pragma once

#include <cstdint>
#include <string>

namespace nephron::host {

/// One optimiser step on a batch held in memory: no feed, no augmentation.
struct BenchStepRequest {
  std::string encoder;
  std::string decoder;
  std::string loss;
  int batch = 8;
  std::int64_t tile = 256;
  int classes = 2;
  std::string precision = "fp32";
  int steps = 10;
  int warmup = 3;
  int threads = 0;
  std::string device = "cpu";
  bool channels_last = true;
  bool divide = false;         ///< print how a few more steps divide, too
  bool checkpointing = false;  ///< blocks are run again for their gradients
  bool cuda_graph = false;     ///< the batch is recorded and replayed
};

/// Prints one line of JSON: median and fastest seconds a step, loss, peak memory.
void bench_step(const BenchStepRequest& request);

}  // namespace nephron::host
