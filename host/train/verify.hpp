#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace nephron::host {

/// What `nephron verify` was asked for.
struct VerifyRequest {
  std::filesystem::path run;  ///< its folder, or a fold's
  int fold = -1;              ///< -1: the one that `run` names, else the first that left digests
  std::int64_t steps = 0;     ///< so many at most; 0: to the end
  std::int64_t from = 0;      ///< begin at the kept checkpoint at or before this step
  std::vector<std::string> overrides;
  std::vector<std::filesystem::path> plugins;
  int threads = 0;     ///< of LibTorch; 0: as many as the run had
  std::string device;  ///< empty: that of the run
  bool drift = false;  ///< train to the end though it differs, and compare the Dice
  bool json = false;
};

/// Trains a fold again in a folder that is removed, and compares what each step leaves with what the run's left, until
/// something differs; on CUDA without train.deterministic, where something always does, to the end. Prints the verdict
/// on stdout. Returns the program's exit code: 0 bit-equal, 1 it diverges, 130 interrupted before anything did. Throws
/// Error where it cannot be trained or compared.
int verify(const VerifyRequest& request);

}  // namespace nephron::host
