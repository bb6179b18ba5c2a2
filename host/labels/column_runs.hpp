#pragma once

#include <cstdint>
#include <vector>

#include <nephron/image.hpp>
#include <nephron/rle.hpp>

namespace nephron::host {

/// Runs down the columns of a mask whose rows come in their order, as encode_rle() gives them of the whole mask. Holds
/// what is open in each column, and the runs.
class ColumnRuns {
 public:
  explicit ColumnRuns(Size mask) : mask_(mask), open_(static_cast<std::size_t>(mask.width), none) {}
  /// Rows (one u8 channel, all across) that follow those that were given; what is not 0 is in the mask.
  void add(const ImageView& rows);
  /// Once all rows were given.
  Runs finish();

 private:
  static constexpr std::int64_t none = -1;
  void add_row(const std::uint8_t* row);

  Size mask_;
  std::vector<std::int64_t> open_;  ///< the row where a column's last run began
  std::vector<std::uint8_t> last_;  ///< the row before: 255 or 0
  std::vector<std::uint8_t> now_;
  Runs runs_;
  std::int64_t rows_ = 0;
};

}  // namespace nephron::host
