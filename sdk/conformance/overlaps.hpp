#pragma once

#include <string>
#include <vector>

#include <nephron/image.hpp>

// Do regions that overlap show the same pixels? For whatever reads regions of a slide.
namespace nephron::conformance {

/// Regions of the slide that have pixels in common with `region`: its lower, right and inner parts, one that is larger
/// on all sides, and some that begin and end elsewhere along x and y.
std::vector<Region> overlaps_of(const Region& region, Size slide);

struct Shown {
  const Image& pixels;
  const Region& region;
};
bool same_where_both(const Shown& a, const Shown& b);

/// "64 x 64 at (168, 118)"
std::string text_of(const Region& region);

}  // namespace nephron::conformance
