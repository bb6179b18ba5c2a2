#pragma once

#include <memory>
#include <optional>

#include <host/feed/feed.hpp>
#include <host/model/model.hpp>
#include <host/train/fold_job.hpp>
#include <host/train/objective.hpp>
#include <host/train/validation.hpp>

namespace nephron::host {

/// What a fold holds out, and how its networks do there.
class FoldValidation {
 public:
  /// Everything outlives it.
  FoldValidation(const FoldJob& job, const Objective& objective, const JobServices& services);
  /// False where the fold holds out no slide.
  bool any() const noexcept { return feed_ != nullptr; }
  /// Of the weights that the network has, which is in training mode afterwards; nothing when Ctrl-C cut it short, for a
  /// part says nothing.
  std::optional<Validation> run(SegmentationModel& model, const TrainPlace& place);

 private:
  const FoldJob& job_;
  const Objective& objective_;
  std::unique_ptr<Feed> feed_;
};

}  // namespace nephron::host
