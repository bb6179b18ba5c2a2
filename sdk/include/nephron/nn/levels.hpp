#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <nephron/encoder.hpp>

// What decoders ask of an encoder's levels, refused in words. `decoder` is the name that the message gives.
namespace nephron::nn {

/// Throws Error unless there are `depth` levels after the input.
NEPHRON_API void require_depth(std::string_view decoder, const std::vector<Level>& levels, int depth);

/// Throws Error unless each of the last `count` levels is half as large as the one before it among them.
NEPHRON_API void require_halving(std::string_view decoder, const std::vector<Level>& levels, std::size_t count);

/// Throws Error unless the sides of the image [N, C, H, W] are multiples of `stride`.
NEPHRON_API void require_multiples(std::string_view decoder, const at::Tensor& image, std::int64_t stride);

}  // namespace nephron::nn
