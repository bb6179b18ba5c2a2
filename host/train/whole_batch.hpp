#pragma once

#include <string>
#include <vector>

#include <host/feed/batch.hpp>
#include <host/ranks/ranks.hpp>
#include <host/train/batch_tensors.hpp>

namespace nephron::host {

/// What the samples of a batch are.
struct SampleNames {
  std::vector<std::string> ids;
  std::vector<SampleNumber> windows;  ///< as RawBatch has them
};

/// A batch whose samples several ranks make and compute, each its share. A loss may depend on the batch in any way (one
/// Dice for all of it, sample weights, sorted errors), so that it is no sum over shares. Each rank therefore computes
/// the loss of the whole batch from the logits of all, and takes back the gradient of its own: the sum of the ranks'
/// gradients is that of one process.
class WholeBatch {
 public:
  /// `total`: samples of the batch; `ranks` outlives it.
  WholeBatch(const Ranks& ranks, std::int64_t total);
  const BatchShare& own() const noexcept { return own_; }

  /// Rows that belong to samples, of all ranks; no gradient flows.
  at::Tensor rows(const at::Tensor& own) const;
  /// The same, and the own rows take their gradient back.
  at::Tensor with_own(const at::Tensor& own) const;
  /// Own rows of what holds the whole batch.
  at::Tensor part(const at::Tensor& whole) const { return whole.narrow(0, own_.first, own_.count); }
  /// The batch of all ranks; its images too, or none.
  BatchTensors tensors(const BatchTensors& own, bool images) const;
  SampleNames names(const RawBatch& own) const;

 private:
  const Ranks& ranks_;
  std::int64_t total_;
  BatchShare own_;
};

}  // namespace nephron::host
