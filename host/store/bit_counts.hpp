#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <nephron/image.hpp>

namespace nephron::host {

/// How many pixels of label maps have each bit.
class BitCounts {
 public:
  /// One channel of u8, u16 or u32.
  void add(const ImageView& labels);
  BitCounts& operator+=(const BitCounts& other) noexcept;
  std::int64_t of(std::size_t bit) const { return counts_.at(bit); }
  /// Of bits 0 to n - 1.
  std::vector<std::int64_t> of_first(std::size_t n) const;

 private:
  std::array<std::int64_t, 32> counts_{};
};

}  // namespace nephron::host
