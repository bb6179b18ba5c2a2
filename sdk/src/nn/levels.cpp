#include <nephron/nn/levels.hpp>

#include <string>

#include <nephron/error.hpp>

namespace nephron::nn {

void require_depth(std::string_view decoder, const std::vector<Level>& levels, int depth) {
  if (levels.size() == static_cast<std::size_t>(depth) + 1) return;
  const std::size_t has = levels.empty() ? 0 : levels.size() - 1;
  throw Error(std::string(decoder) + " of depth " + std::to_string(depth) +
              " needs that many levels after the input, and the encoder has " + std::to_string(has));
}

std::vector<Level> every_halving(std::string_view decoder, const std::vector<Level>& levels, int depth) {
  if (levels.size() == static_cast<std::size_t>(depth) + 1) return levels;
  std::vector<Level> out;
  for (const Level& level : levels) {
    while (!out.empty() && 2 * out.back().stride < level.stride) out.push_back({0, 2 * out.back().stride});
    out.push_back(level);
  }
  require_depth(decoder, out, depth);
  return out;
}

std::vector<at::Tensor> every_halving(const std::vector<Level>& halvings, const std::vector<at::Tensor>& features) {
  if (features.size() == halvings.size()) return features;
  std::vector<at::Tensor> out;
  auto next = features.begin();
  for (const Level& level : halvings) {
    const at::Tensor& image = features.front();
    const bool there = level.channels > 0;
    out.push_back(
        there ? *next++
              : image.new_empty({image.size(0), 0, image.size(2) / level.stride, image.size(3) / level.stride}));
  }
  return out;
}

void require_halving(std::string_view decoder, const std::vector<Level>& levels, std::size_t count) {
  for (std::size_t i = levels.size() - count + 1; i < levels.size(); ++i) {
    if (levels[i].stride == 2 * levels[i - 1].stride) continue;
    throw Error(std::string(decoder) + " doubles its map from level to level, and the encoder's level " +
                    std::to_string(i) + " has stride " + std::to_string(levels[i].stride) + " after stride " +
                    std::to_string(levels[i - 1].stride),
                "take an encoder whose levels halve one after the other, or the decoder unet");
  }
}

void require_multiples(std::string_view decoder, const at::Tensor& image, std::int64_t stride) {
  if (image.size(2) % stride == 0 && image.size(3) % stride == 0) return;
  throw Error(std::string(decoder) + " needs an image whose sides are multiples of " + std::to_string(stride) +
                  ", and got " + std::to_string(image.size(2)) + " x " + std::to_string(image.size(3)),
              "cut or pad the image");
}

}  // namespace nephron::nn
