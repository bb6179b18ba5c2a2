#pragma once

#include <functional>

#include <nephron/augmentation.hpp>
#include <nephron/batch_augmentation.hpp>

// Do labels and targets follow what is done to pictures? Pictures whose values tell whose they are and where they lay.
namespace nephron::conformance {

/// Of the picture that require_labels_follow() hands in, and that it is to be drawn for.
inline constexpr Size probe_size{320, 240};

/// Throws Failed when a function of Plan::pixels() moves the picture and leaves its labels or its probability maps, or
/// moves them elsewhere (label_offsets.hpp).
void require_labels_follow(const std::function<void(const SampleView&)>& change);

/// Throws Failed when apply() with this generator moves or mixes pictures of a batch and leaves their targets, or gives
/// them other shares.
void require_targets_follow(const BatchAugmentation& augmentation, const Rng& rng);

/// Throws Failed when apply() puts pixels of a sample that counts 0 where they count.
void require_unknown_stays_unknown(const BatchAugmentation& augmentation, const Rng& rng);

}  // namespace nephron::conformance
