#include "samples.hpp"

#include <algorithm>
#include <cstring>

namespace tiff_reader {

void to_8_bit(const Plane& plane, const std::uint8_t* in, std::int64_t count, bool swap, std::uint8_t* out) {
  if (plane.directory.bits == 16) {
    const unsigned white = plane.directory.white > 0 ? plane.directory.white : 65535;
    for (std::int64_t i = 0; i < count; ++i) {
      std::uint16_t v;
      std::memcpy(&v, in + 2 * i, 2);
      if (swap) v = static_cast<std::uint16_t>(v << 8 | v >> 8);
      out[i] = static_cast<std::uint8_t>((std::min<unsigned>(v, white) * 255U + white / 2) / white);
    }
  } else if (out != in) {
    std::memcpy(out, in, static_cast<std::size_t>(count));
  }
  if (plane.inverted())
    for (std::int64_t i = 0; i < count; ++i) out[i] = static_cast<std::uint8_t>(255 - out[i]);
}

void scatter(const std::uint8_t* in, int samples, int channel, std::int64_t count, std::uint8_t* rgb) {
  if (channel >= 0) {
    for (std::int64_t i = 0; i < count; ++i) rgb[3 * i + channel] = in[i * samples];
  } else if (samples == 3) {
    std::memcpy(rgb, in, static_cast<std::size_t>(3 * count));
  } else if (samples == 4) {
    for (std::int64_t i = 0; i < count; ++i) std::memcpy(rgb + 3 * i, in + 4 * i, 3);
  } else {
    for (std::int64_t i = 0; i < count; ++i) std::memset(rgb + 3 * i, in[i * samples], 3);
  }
}

}  // namespace tiff_reader
