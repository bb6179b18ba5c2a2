#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include <host/replay/step_digests.hpp>
#include <host/runs/metrics_log.hpp>
#include <host/train/objective.hpp>
#include <host/util/progress.hpp>

namespace nephron::host {

/// A loss that is no number: which step, of which samples.
struct BadLoss {
  std::int64_t step = 0;
  double loss = 0;
  std::vector<std::string> ids;
  at::Tensor parts;  ///< as LossValue has them
};

/// Figures of single steps: to metrics, to the progress line. Losses are read back from a CUDA device several at a
/// time, because each read-back waits for it.
class StepLog {
 public:
  /// `metrics`: null where another process tells of the steps. `behind`: steps of the folds that this command trains
  /// after this one.
  StepLog(MetricsLog* metrics, std::string title, std::int64_t done, std::int64_t total, std::int64_t behind,
          c10::Device device);

  /// `watch` is told of each step whose loss was read back, and outlives this; null: nobody is.
  void tell(StepWatch* watch) noexcept { watch_ = watch; }
  /// A step is done: its loss and its parts (on the device), its learning rate, the samples that were in it and their
  /// digest, seconds waited for data, what components told.
  void add(std::int64_t step, std::int64_t epoch, const LossValue& loss, double lr, std::vector<std::string> ids,
           std::uint64_t digest, double waited, MetricsLog::Values told);
  /// Time that belongs to no step has passed (validation, a checkpoint).
  void skip_time();
  /// Reads back what is pending when that is worth it, or `all`; false when a loss is no number: bad() says which.
  bool flush(bool all);
  const BadLoss& bad() const noexcept { return bad_; }

  double take_loss_sum() noexcept { return std::exchange(loss_sum_, 0.0); }
  double tiles_per_s() const noexcept { return seconds_ > 0 ? static_cast<double>(tiles_) / seconds_ : 0; }
  double waited_share() const noexcept { return seconds_ > 0 ? waited_ / seconds_ : 0; }
  double seconds() const noexcept { return seconds_; }

 private:
  struct Pending {
    std::int64_t step, epoch;
    LossValue loss;
    double lr;
    std::vector<std::string> ids;
    std::uint64_t digest;
    double waited, seconds;
    MetricsLog::Values told;
  };
  using clock = std::chrono::steady_clock;

  MetricsLog* metrics_;
  StepWatch* watch_ = nullptr;
  Progress progress_;
  std::size_t most_pending_;
  std::vector<Pending> pending_;
  BadLoss bad_;
  clock::time_point last_ = clock::now(), flushed_{};
  double loss_sum_ = 0, seconds_ = 0, waited_ = 0;
  std::int64_t tiles_ = 0;
  bool first_line_ = true;
};

}  // namespace nephron::host
