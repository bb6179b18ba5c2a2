#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include <nephron/image.hpp>

namespace nephron::host {

/// Maps (f32) that are brought to another size as their rows come: bilinear between the centres of pixels, as OpenCV's
/// resize(INTER_LINEAR) of the whole (and torch's with align_corners off). Holds two rows a map.
class EnlargedRows {
 public:
  using Give = std::function<void(std::int64_t y, std::span<const ImageView> maps)>;

  /// `give` is called with at most `most` rows of the size `to` at a time, in their order.
  EnlargedRows(Size from, Size to, std::size_t maps, std::int64_t most, Give give);
  /// Rows that follow those that were given, all across; a view a map.
  void add(std::span<const ImageView> maps);

 private:
  struct Tap {
    std::int64_t first = 0;  ///< the other is the next one, or the same at the end
    float share = 0;         ///< of the other
  };
  static Tap tap(std::int64_t i, std::int64_t from, std::int64_t to);
  void widen(const float* row, std::vector<float>& out) const;
  void make_row(std::int64_t y);
  void hand_over();

  Size from_, to_;
  std::int64_t most_;
  Give give_;
  std::vector<Tap> columns_;
  std::vector<std::vector<float>> last_, now_;  ///< the last two rows, widened; one a map
  std::int64_t rows_ = 0;                       ///< that were given
  std::int64_t made_ = 0, given_ = 0;           ///< rows of the result
  std::vector<Image> out_;
};

}  // namespace nephron::host
