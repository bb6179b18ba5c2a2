#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <nephron/nn/mbconv.hpp>

namespace efficientnet {

/// The numbers of one member of the family: everything that the layers are made of.
struct Architecture {
  std::int64_t stem = 32;
  std::int64_t head = 1280;
  nephron::nn::Activation activation = nephron::nn::Activation::silu;
  double drop_connect = 0.2;
  std::vector<nephron::nn::MBConvShape> blocks;
  std::vector<std::size_t> taps;  ///< last block at strides 4, 8, 16, 32
};

/// `exact_padding`: strided convolutions pad as TensorFlow's "same" does for the variant's native image size (SMP
/// 0.6.0); false: as if every map had an even side (SMP of 2021). Throws Error for an unknown name.
Architecture architecture_of(std::string_view name, bool exact_padding);

}  // namespace efficientnet
