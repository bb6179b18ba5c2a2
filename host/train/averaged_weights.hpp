#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <torch/nn/module.h>

#include <host/config/experiment.hpp>
#include <host/weights/weights.hpp>

namespace nephron::host {

/// A running mean of a network's weights, kept beside them: exponential (Polyak and Juditsky 1992; as
/// torch.optim.swa_utils.get_ema_multi_avg_fn) or plain (Izmailov et al. 2018; get_swa_multi_avg_fn). Buffers of
/// floating point are averaged like weights, except by the plain mean, which leaves statistics of normalisations to
/// remake_statistics(); other buffers are the network's latest.
class AveragedWeights {
 public:
  /// `network` outlives it, with the parameters that it has now. `config.type` is "ema" or "swa".
  AveragedWeights(const AverageConfig& config, torch::nn::Module& network);
  bool exponential() const noexcept { return config_.type == "ema"; }
  /// Takes the network's weights in; `n` others were before.
  void add(std::int64_t n);
  /// By the names that the network's state has.
  TensorMap tensors() const;
  /// Throws Error when a tensor is missing or of another shape.
  void load(const TensorMap& from);

  /// While it lives, the network has the averaged weights; nothing is copied.
  class InUse {
   public:
    explicit InUse(AveragedWeights& average) : average_(average) { average_.swap(); }
    ~InUse() { average_.swap(); }
    InUse(const InUse&) = delete;
    InUse& operator=(const InUse&) = delete;

   private:
    AveragedWeights& average_;
  };

 private:
  enum class Rule : std::uint8_t { average, copy, leave };
  struct Entry {
    std::string name;
    at::Tensor own;  ///< the network's
    at::Tensor average;
    Rule rule;
  };
  void swap();
  double share_of_newest(std::int64_t n) const;

  AverageConfig config_;
  std::vector<Entry> entries_;
};

/// Whether a buffer is one of a normalisation's statistics ("...running_mean", "...running_var").
bool is_statistic(const std::string& name);

/// Makes the statistics of a network's normalisations anew: each becomes the mean over the batches that `pass` runs
/// through the network, as torch.optim.swa_utils.update_bn makes it. `pass(i)` runs batch i, the same when it is asked
/// again, and returns false when there is none; it is asked for 0 three times, and then for each in turn.
/// Normalisations that do not follow their batches, as those in evaluation mode, keep what they have. Nothing is run
/// when there are none at all.
void remake_statistics(torch::nn::Module& network, const std::function<bool(std::int64_t)>& pass);

}  // namespace nephron::host
