#pragma once

#include <cstddef>
#include <functional>

#include <nephron/image.hpp>

namespace nephron::host {

/// Of classes that exclude each other, which one is likeliest at each pixel: none, where the background is. Holds two
/// numbers a pixel, however many classes there are.
class MostLikely {
 public:
  MostLikely() = default;
  /// `map_of`: the probabilities (f32, of this size) of class c; asked once for each, in their order.
  MostLikely(std::size_t classes, Size size, const std::function<Image(std::size_t)>& map_of);
  /// 255 where the class is the likeliest.
  Image mask(std::size_t class_index) const;

 private:
  Image class_;  ///< u8: 1 for the first class; 0: none
};

}  // namespace nephron::host
