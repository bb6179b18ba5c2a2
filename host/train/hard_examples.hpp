#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include <ATen/core/Tensor.h>

#include <host/config/experiment.hpp>
#include <host/feed/batch.hpp>
#include <host/feed/repeats.hpp>
#include <host/runs/metrics_log.hpp>
#include <host/weights/tensors.hpp>

namespace nephron::host {

/// The windows whose loss was highest, and what the running epoch says of them and of others. The feed works ahead of
/// the steps, so what is remembered changes between epochs alone: settle(). A window is named by the sample that it was
/// drawn for first.
class HardExamples {
 public:
  /// `config.share` is more than 0.
  explicit HardExamples(const HardExamplesConfig& config) : config_(config) {}

  /// What comes again in `epoch`, in an order that is a function of (seed, epoch) and of what is remembered. Null when
  /// nothing is.
  std::shared_ptr<const Repeats> repeats(std::uint64_t seed, std::uint64_t epoch) const;
  /// A batch was trained on: its samples from number `first` on, the windows that they have, and their losses [N] on
  /// any device, which are read back later, many at once.
  void add(std::int64_t first, std::vector<SampleNumber> windows, std::uint64_t epoch, const at::Tensor& losses);
  /// The epoch's steps are done: its highest losses are remembered, and of windows that came again what they have now,
  /// a mean where they came several times. Does no harm twice.
  void settle();
  /// "hard_share", "hard_loss" and "fresh_loss" of the epoch that was added last.
  void add_figures(MetricsLog::Values& line) const;

  /// All of it, a running epoch included.
  TensorMap state() const;
  /// Nothing is remembered where `state` says nothing. Throws Error for what cannot be.
  void load(const TensorMap& state);

 private:
  struct Known {
    SampleNumber window;
    double loss = 0;
    double sum = 0, times = 0;  ///< what it had in the running epoch, when it came again
  };
  struct Figures {
    double epoch = -1;
    double hard_sum = 0, hard = 0, fresh_sum = 0, fresh = 0;
  };
  struct Batch {
    std::uint64_t epoch = 0;
    std::int64_t first = 0;
    std::vector<SampleNumber> windows;
    at::Tensor losses;
  };
  void read_back();
  void note(const SampleNumber& sample, const SampleNumber& window, double loss);
  void keep_highest(std::vector<Known>& of) const;
  void number_known();

  HardExamplesConfig config_;
  std::vector<Known> known_;                    ///< highest loss first
  std::map<SampleNumber, std::size_t> places_;  ///< in known_
  std::vector<Known> fresh_;                    ///< of the running epoch, seen for the first time
  Figures figures_;
  std::vector<Batch> pending_;  ///< losses that were not read back yet
};

}  // namespace nephron::host
