#pragma once

#include <cstdint>

#include <nephron/image.hpp>

namespace nephron::host {

/// The picture, scaled so that its longer side is at most `side`, with the outlines of the prediction (green) and of
/// the truth (red; empty: none). Masks have the picture's size.
/// `ignored` (not 0; empty: nothing is) is hatched in grey.
Image outlined(const Image& picture, const Image& prediction, const Image& truth, std::int64_t side,
               const Image& ignored = {});

/// The picture under a heat map of the probability (0..255, one channel), scaled alike: tissue without any is left as
/// it is, and where it passes one half an outline is drawn.
Image heated(const Image& picture, const Image& probability, std::int64_t side);

}  // namespace nephron::host
