#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <nephron/geometry.hpp>
#include <nephron/image.hpp>

#include <host/objects/row_joiner.hpp>
#include <host/objects/row_run.hpp>

namespace nephron::host {

/// An 8-connected part of a mask, at the pixels of that mask.
struct FoundObject {
  Region box;
  std::int64_t area = 0;        ///< pixels, with those of filled holes
  Point centroid;               ///< mean position of its pixels
  double confidence = 1;        ///< largest probability of its pixels; 1 when none were given
  double mean_probability = 1;  ///< of its pixels, without those of filled holes; 1 when none were given
  std::vector<RowRun> runs;     ///< in the order of the rows; none touches the next one of its row

  /// Pixel in the middle of the box, the lower right one of four: the reference pipeline's centre. It need not be one
  /// of the object's.
  Point centre() const noexcept {
    return {static_cast<double>(box.x + box.width / 2), static_cast<double>(box.y + box.height / 2)};
  }
  bool contains(std::int64_t x, std::int64_t y) const noexcept;
};

struct ObjectOptions {
  static constexpr std::int64_t every_hole = std::numeric_limits<std::int64_t>::max();
  /// Objects of fewer pixels are dropped, after their holes were filled.
  std::int64_t least_area = 1;
  /// Holes (4-connected; what lies in them is counted too) of at most so many pixels become part of the object, and so
  /// do the objects in them. What the border of the mask opens is no hole.
  std::int64_t fill_holes = 0;
  /// Pixels of the mask with one of these bits count.
  std::uint32_t bits = ~std::uint32_t{0};
};

/// Finds the objects of a mask that is shown row by row: the same ones, to the last bit, whatever the heights of the
/// bands. Memory: runs and sums of the open objects and of those that are found.
class ObjectFinder {
 public:
  explicit ObjectFinder(ObjectOptions options = {});

  /// Rows [y, y + height) of the mask, whole ones. Rows come in rising order; those left out are empty. `mask`: one
  /// channel of labels; `probability`: as large, one channel of f32, or empty. Throws Error.
  void rows(std::int64_t y, const ImageView& mask, const ImageView& probability = {});
  /// The same of one row of a mask whose runs are known: from left to right, none touching the next. `probability`: of
  /// the whole row, or nullptr.
  void row(std::int64_t y, std::span<const RowRun> runs, const float* probability = nullptr);
  /// In the order of the rows, and columns, where they begin. The finder is as new afterwards.
  std::vector<FoundObject> finish();

 private:
  /// Of the pixels that were seen: not of filled holes.
  struct Sums {
    double sum = 0;
    std::int64_t pixels = 0;
    float most = 0;
    void add(const float* probability, std::int64_t n);
    void join(const Sums& other);
  };
  struct Part {
    std::vector<RowRun> runs;
    Sums sums;
    std::int64_t top = std::numeric_limits<std::int64_t>::max();
    void add(std::int64_t y, std::int64_t first, std::int64_t end, const float* probability);
    void join(Part&& other);
  };
  struct Closed {
    FoundObject object;
    Sums sums;
    bool swallowed = false;
  };
  void begin_row(std::int64_t y);
  void close(Part&& part);
  void fill_holes(Closed& outer);
  void drop_specks();

  ObjectOptions options_;
  RowJoiner<Part> joiner_;
  std::int64_t next_row_ = 0;
  std::int64_t width_ = 0;       ///< of the mask; 0: no row was seen
  std::vector<Closed> closed_;   ///< in the order of their last rows
  std::size_t specks_ = 0;       ///< those too small to stay, which an object around them may swallow
  std::size_t most_specks_ = 0;  ///< that many are looked through
};

}  // namespace nephron::host
