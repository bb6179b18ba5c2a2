#pragma once

#include <nephron/image.hpp>
#include <nephron/slide.hpp>

namespace nephron::host {

/// The whole slide at 1/factor: (W // f) x (H // f) px, OpenCV's INTER_AREA, as the reference. Reads in bands where
/// sides are multiples of the factor, so that the full picture need not be held; the result is the same.
/// Throws Error for a slide smaller than the factor, and Cancelled after Ctrl-C.
Image read_reduced(const SlideReader& slide, int factor);

}  // namespace nephron::host
