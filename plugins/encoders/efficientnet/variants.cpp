#include "variants.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include <nephron/error.hpp>

namespace efficientnet {

namespace nn = nephron::nn;

namespace {

/// Scaling of Tan and Le 2019, table of their code: width, depth, native side of the image.
struct Scale {
  std::string_view name;
  double width, depth;
  std::int64_t side;
  bool lite = false;
};

constexpr std::array scales{
    Scale{"efficientnet-b0", 1.0, 1.0, 224},          Scale{"efficientnet-b1", 1.0, 1.1, 240},
    Scale{"efficientnet-b2", 1.1, 1.2, 260},          Scale{"efficientnet-b3", 1.2, 1.4, 300},
    Scale{"efficientnet-b4", 1.4, 1.8, 380},          Scale{"efficientnet-b5", 1.6, 2.2, 456},
    Scale{"efficientnet-b6", 1.8, 2.6, 528},          Scale{"efficientnet-b7", 2.0, 3.1, 600},
    Scale{"efficientnet-lite0", 1.0, 1.0, 224, true}, Scale{"efficientnet-lite1", 1.0, 1.1, 240, true},
    Scale{"efficientnet-lite2", 1.1, 1.2, 260, true},
};

struct Stage {
  int repeats;
  std::int64_t kernel, stride, expansion, out;
};

constexpr std::array stages{Stage{1, 3, 1, 1, 16}, Stage{2, 3, 2, 6, 24},  Stage{2, 5, 2, 6, 40},
                            Stage{3, 3, 2, 6, 80}, Stage{3, 5, 1, 6, 112}, Stage{4, 5, 2, 6, 192},
                            Stage{1, 3, 1, 6, 320}};

constexpr std::int64_t stem_channels = 32;
constexpr std::int64_t head_channels = 1280;

const Scale& scale_of(std::string_view name) {
  for (const Scale& s : scales)
    if (s.name == name) return s;
  throw nephron::Error("there is no EfficientNet called \"" + std::string(name) + "\"");
}

/// Multiples of 8, and never less than nine tenths of the wish.
std::int64_t scaled(std::int64_t channels, double width) {
  const double wish = static_cast<double>(channels) * width;
  const std::int64_t rounded = std::max<std::int64_t>(8, static_cast<std::int64_t>(wish + 4) / 8 * 8);
  return static_cast<double>(rounded) < 0.9 * wish ? rounded + 8 : rounded;
}

/// TensorFlow's "same" for a map of `side` pixels: what is lacking, the odd pixel at the end.
nn::Padding same_padding(std::int64_t side, std::int64_t kernel, std::int64_t stride) {
  const std::int64_t out = (side + stride - 1) / stride;
  const std::int64_t lacking = std::max<std::int64_t>((out - 1) * stride + kernel - side, 0);
  return {lacking / 2, lacking - lacking / 2};
}

}  // namespace

Architecture architecture_of(std::string_view name, bool exact_padding) {
  const Scale& scale = scale_of(name);
  Architecture a;
  if (scale.lite) {  // a fixed stem and head, no squeeze and excitation
    a.activation = nn::Activation::relu6;
    a.drop_connect = 0;
  } else {
    a.stem = scaled(stem_channels, scale.width);
    a.head = scaled(head_channels, scale.width);
  }
  std::int64_t in = a.stem;
  std::int64_t side = (scale.side + 1) / 2;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const Stage& stage = stages[i];
    const bool end = i == 0 || i + 1 == stages.size();
    const int repeats = scale.lite && end ? stage.repeats : static_cast<int>(std::ceil(scale.depth * stage.repeats));
    for (int n = 0; n < repeats; ++n) {
      nn::MBConvShape block{.in = in,
                            .out = scaled(stage.out, scale.width),
                            .kernel = stage.kernel,
                            .stride = n == 0 ? stage.stride : 1,
                            .expansion = stage.expansion};
      block.squeezed = scale.lite ? 0 : std::max<std::int64_t>(1, in / 4);
      block.activation = a.activation;
      block.padding = same_padding(exact_padding || block.stride == 1 ? side : 2, block.kernel, block.stride);
      side = (side + block.stride - 1) / block.stride;
      a.blocks.push_back(block);
      in = block.out;
    }
    if (i == 1 || i == 2 || i == 4 || i == 6) a.taps.push_back(a.blocks.size() - 1);
    // SMP hands over the first block of this stage of b0, and the last one of all others.
    if (i == 4 && name == "efficientnet-b0") a.taps.back() = a.blocks.size() - static_cast<std::size_t>(repeats);
  }
  return a;
}

}  // namespace efficientnet
