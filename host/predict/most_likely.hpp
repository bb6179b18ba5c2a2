#pragma once

#include <cstddef>
#include <vector>

#include <nephron/image.hpp>

namespace nephron::host {

/// Of classes that exclude each other, which one is likeliest at each pixel: none, where the background is. Holds two
/// numbers a pixel, however many classes there are.
class MostLikely {
 public:
  MostLikely() = default;
  /// `maps`: probabilities (f32) of each class, which are brought to `size` bilinearly.
  MostLikely(const std::vector<Image>& maps, Size size);
  /// 255 where the class is the likeliest.
  Image mask(std::size_t class_index) const;

 private:
  Image class_;  ///< u8: 1 for the first class; 0: none
};

}  // namespace nephron::host
