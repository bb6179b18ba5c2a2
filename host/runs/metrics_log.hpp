#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <host/runs/tensorboard.hpp>

namespace nephron::host {

/// The figures of one fold, to metrics.jsonl and to TensorBoard alike. One thread at a time.
///
/// Every line has "step" (optimiser steps done). Lines of single steps have "loss", "lr", "tiles_per_s", "waited"
/// (share of time spent waiting for data), and what components told as "COMPONENT/name"; the first line of every
/// process also has "start_s". Lines of validation have "epoch", "train_loss", "val_loss", "dice", "dice_CLASS",
/// "seconds".
class MetricsLog {
 public:
  using Values = std::vector<std::pair<std::string, double>>;

  /// `resumed_at`: step of the checkpoint that a run goes on from; what an earlier process wrote of later steps is
  /// dropped, because these steps are done again. 0: a fresh fold. Damaged lines go too, which is warned of.
  MetricsLog(const std::filesystem::path& folder, std::int64_t resumed_at);
  void write(std::int64_t step, const Values& values);
  void flush();

 private:
  std::filesystem::path file_;
  std::ofstream lines_;
  TensorBoardWriter board_;
};

/// The lines of a metrics.jsonl; a torn last line is left out. Values that are no numbers are skipped. Throws Error
/// "FILE:LINE: ..." for anything else that MetricsLog does not write.
std::vector<std::pair<std::int64_t, MetricsLog::Values>> read_metrics(const std::filesystem::path& file);

}  // namespace nephron::host
