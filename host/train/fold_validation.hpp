#pragma once

#include <memory>
#include <optional>
#include <string>

#include <host/feed/feed.hpp>
#include <host/model/model.hpp>
#include <host/train/fold_job.hpp>
#include <host/train/slide_validation.hpp>

namespace nephron::host {

/// What a fold holds out, and how its networks do there: on whole slides or on tiles, as [validation] says.
class FoldValidation {
 public:
  /// Everything outlives it. `multiple`: of the network.
  FoldValidation(const FoldJob& job, const Objective& objective, const JobServices& services, std::int64_t multiple);
  /// False where the fold holds out no slide.
  bool any() const noexcept { return feed_ != nullptr || slides_; }
  /// Of the weights that the network has, which is in training mode afterwards; nothing when Ctrl-C cut it short, for a
  /// part says nothing.
  std::optional<Validation> run(SegmentationModel& model, const TrainPlace& place);

 private:
  /// Throws Error where a slide that is held out was lost while another fold trained on it.
  void require_whole() const;

  const FoldJob& job_;
  const Objective& objective_;
  std::unique_ptr<Feed> feed_;           ///< of tiles
  std::optional<HeldOutSlides> slides_;  ///< in their place
};

}  // namespace nephron::host
