#pragma once

#include <cstdint>

#include <nephron/image.hpp>

namespace nephron::host {

/// Sets every pixel of a label map.
void fill_labels(const ImageView& labels, std::uint32_t bits);

/// Copies a label map into one of equal size that may be wider. Throws Error when it is narrower.
void widen_labels(const ImageView& from, const ImageView& to);

}  // namespace nephron::host
