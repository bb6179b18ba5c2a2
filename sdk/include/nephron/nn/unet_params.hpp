#pragma once

// nn/ is bound to the exact build, as tensors are (docs/plugins.md, rule 8).
#include <cstdint>
#include <memory>

#include <nephron/nn/unet_block.hpp>
#include <nephron/schema.hpp>

// What decoders of UnetBlocks let an experiment choose. Their parameters have members of these names.
namespace nephron::nn {

/// Declares `norm`, `attention` and `interpolation` (std::string).
template <class Params>
void describe_unet_blocks(Schema<Params>& s) {
  s.field("norm", &Params::norm, "normalisation after each convolution; without it convolutions have a bias")
      .choices({"batchnorm", "none"});
  s.field("attention", &Params::attention, "scse: squeeze and excitation over channels and space (arXiv:1803.02579)")
      .choices({"none", "scse"});
  s.field("interpolation", &Params::interpolation, "how a map is made as large as the next finer one")
      .choices(interpolation_names());
}

/// Declares `fast` (bool).
template <class Params>
void describe_fast_unet_blocks(Schema<Params>& s) {
  s.field(
      "fast", &Params::fast,
      "convolve enlarged maps without making them where interpolation is nearest and no attention comes first; equal "
      "but for rounding");
}

template <class Params>
std::shared_ptr<UnetBlock> make_unet_block(const Params& params, std::int64_t in, std::int64_t skip, std::int64_t out,
                                           bool joins_nothing) {
  return std::make_shared<UnetBlock>(UnetBlockShape{.in = in,
                                                    .skip = skip,
                                                    .out = out,
                                                    .norm = params.norm == "batchnorm",
                                                    .scse = params.attention == "scse",
                                                    .interpolation = interpolation_of(params.interpolation),
                                                    .joins_nothing = joins_nothing,
                                                    .fast = params.fast});
}

}  // namespace nephron::nn
