#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <nephron/image.hpp>

namespace nephron::host {

/// Boxes of the 8-connected parts of a mask that is shown row by row. Holds two rows' runs and a box a part.
class ConnectedParts {
 public:
  /// Rows come in rising order; one that is not begun is empty.
  void begin_row(std::int64_t y);
  /// Row `row` of `labels`, whose first pixel stands at `left`: pixels with the bit. Stretches of a row come from left
  /// to right and do not touch.
  void add(const ImageView& labels, std::int64_t row, std::int64_t left, std::uint32_t bit);
  /// In the order of the rows, and columns, where the parts begin.
  std::vector<Region> boxes() const;

 private:
  /// Pixels [first, end) of a row.
  struct Piece {
    std::int64_t first, end;
    std::size_t part;
  };
  struct Box {
    std::int64_t left, top, right, bottom;  ///< right, bottom: the last pixel
  };
  void add_piece(std::int64_t first, std::int64_t end);
  std::size_t root(std::size_t part) const;

  std::int64_t y_ = -2;
  std::vector<Piece> above_, here_;
  std::size_t next_above_ = 0;        ///< the first piece above that may touch the next one
  std::vector<std::size_t> parents_;  ///< a part's; its own number: none
  std::vector<Box> boxes_;
};

}  // namespace nephron::host
