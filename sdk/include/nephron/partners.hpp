#pragma once

#include <nephron/batch_augmentation.hpp>

namespace nephron {

/// A random order of the samples of a batch, int64 [N] on the device of its images: whom each sample is mixed with.
NEPHRON_API at::Tensor draw_partners(const Batch& batch, Rng& rng);

}  // namespace nephron
