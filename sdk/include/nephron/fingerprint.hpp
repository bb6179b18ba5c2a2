#pragma once

#include <functional>
#include <string>

#include <nephron/slide.hpp>

namespace nephron {

/// Tells slides apart by their pixels, whatever the file: a hash of the size and of 64 squares of 32 x 32 px spread
/// evenly over level 0 (FNV-1a, 64 bits; against mix-ups, not against malice). 16 hexadecimal digits.
NEPHRON_API std::string fingerprint(const SlideReader& slide);
/// The same of pixels that `read` gives: u8 RGB regions of a picture of that size.
NEPHRON_API std::string fingerprint(Size size, const std::function<void(const Region&, const ImageView&)>& read);

}  // namespace nephron
