#pragma once

#include <string_view>

#include <host/config/experiment.hpp>

namespace nephron::host {

/// The link of [[augmentation]] whose `of` every slide goes through before all else, wherever it is read: in training,
/// in validation, in a prediction. It is the first of the chain, or there is none.
inline constexpr std::string_view normalise_link = "normalise";

/// Null where the experiment has none.
inline const AugmentationConfig* normalise_link_of(const Experiment& experiment) {
  const bool there =
      !experiment.augmentations.empty() && experiment.augmentations.front().component.type == normalise_link;
  return there ? &experiment.augmentations.front() : nullptr;
}

}  // namespace nephron::host
