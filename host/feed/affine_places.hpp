#pragma once

#include <host/feed/plan.hpp>
#include <host/feed/warp_bodies.hpp>

namespace nephron::host {

/// What the columns and rows of a region of the result contribute to positions (AffineMap). Both lists are of the whole
/// picture; of the others nothing is written.
void fill_affine_places(const AffineStep& step, const Region& to, Place* columns, Place* rows);

}  // namespace nephron::host
