#pragma once

// nn/ is bound to the exact build, as tensors are (docs/plugins.md, rule 8).
#include <cstdint>
#include <string_view>
#include <vector>

#include <nephron/encoder.hpp>
#include <nephron/nn/build.hpp>

// What decoders ask of an encoder's levels, refused in words. `decoder` is the name that the message gives.
namespace nephron::nn {

/// Throws Error unless there are `depth` levels after the input.
NEPHRON_API void require_depth(std::string_view decoder, const std::vector<Level>& levels, int depth);

/// One level a halving of the image, for decoders that go from one to the next: `levels`, and where a stem skips a
/// stride, a level of 0 channels at that stride. Throws Error unless there are `depth` after the input then.
NEPHRON_API std::vector<Level> every_halving(std::string_view decoder, const std::vector<Level>& levels, int depth);
/// The features of such levels: a map without channels where the encoder has none.
NEPHRON_API std::vector<at::Tensor> every_halving(const std::vector<Level>& halvings,
                                                  const std::vector<at::Tensor>& features);

/// Throws Error unless each of the last `count` levels is half as large as the one before it among them.
NEPHRON_API void require_halving(std::string_view decoder, const std::vector<Level>& levels, std::size_t count);

/// Throws Error unless the sides of the image [N, C, H, W] are multiples of `stride`.
NEPHRON_API void require_multiples(std::string_view decoder, const at::Tensor& image, std::int64_t stride);

}  // namespace nephron::nn
