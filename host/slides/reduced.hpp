#pragma once

#include <functional>

#include <nephron/slide.hpp>

#include <host/store/reduction.hpp>

namespace nephron::host {

/// Rows of a reduced picture whose pixels of the slide take about so many bytes, one at least.
std::int64_t rows_of_band(std::int64_t bytes, std::int64_t full_width, Reduction reduction);

/// The whole slide at 1/reduction: (W // r) x (H // r) px, bit-equal to OpenCV's resize(INTER_AREA). Read band by band:
/// memory is bounded by the result and some 64 MiB, whatever the sides. Throws Error for a slide smaller than the
/// factor, and Cancelled on Ctrl-C.
Image read_reduced(const SlideReader& slide, Reduction reduction);

/// A region of one level of a slide (in that level's pixels), each side divided by `reduction` by area means, bit-equal
/// to OpenCV's resize(INTER_AREA) of the whole region to (W / factor, H / factor). Read band by band as well.
/// `progress(done, total)` is told of rows, from one thread. Throws Cancelled on Ctrl-C, and Error for a result above
/// 2^28 pixels or a region smaller than the factor.
Image read_reduced(const SlideFile& slide, int level, const Region& region, Reduction reduction,
                   const std::function<void(std::int64_t, std::int64_t)>& progress);

/// The whole slide so small that its longer side has `longest` pixels, from the smallest level that is as large; a
/// slide that is smaller stays as it is.
Image read_thumbnail(const SlideFile& slide, std::int64_t longest,
                     const std::function<void(std::int64_t, std::int64_t)>& progress);

}  // namespace nephron::host
