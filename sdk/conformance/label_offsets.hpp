#pragma once

#include <functional>

#include <nephron/augmentation.hpp>

// Do labels lie where the picture's pixels went? By values that tell places to a fraction of a pixel.
namespace nephron::conformance {

/// Throws Failed when a function of Plan::pixels() moves labels, or probability maps, and they lie most of a pixel or
/// more beside the picture, in the same direction all over. Says nothing of what leaves labels where they were, nor
/// where the picture has lost its places (noise, colours without order).
void require_labels_on_their_pixels(const std::function<void(const SampleView&)>& change);

}  // namespace nephron::conformance
