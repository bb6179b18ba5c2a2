#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tiff_reader {

/// Decodes a JPEG 2000 codestream of exactly this size into packed RGB. `ycc`: its components are Y, Cb, Cr. Throws
/// Error that says what is wrong.
void decode_jpeg2000(const std::vector<std::uint8_t>& stream, std::int64_t width, std::int64_t height, bool ycc,
                     std::uint8_t* rgb);

}  // namespace tiff_reader
