#pragma once

#include <cstdint>

#include <nephron/image.hpp>

namespace nephron::host {

/// The picture with the outlines of the truth (black; empty: none) and of the prediction (blue), as the viewer has
/// them. All are of one size. `ignored` (not 0; empty: nothing is) is hatched in grey.
Image outlined(const Image& picture, const Image& prediction, const Image& truth, const Image& ignored = {});

/// The picture under a heat map of the probability (0..255, one channel): tissue without any is left as it is, and
/// where it passes one half an outline is drawn.
Image heated(const Image& picture, const Image& probability);

/// The size of a picture whose longer side shall be at most `side`.
Size shown_size(Size full, std::int64_t side);

}  // namespace nephron::host
