#pragma once

#include <cstdint>
#include <map>
#include <utility>

#include <nephron/image.hpp>

#include <host/store/reduction.hpp>

namespace nephron::host {

/// Probabilities 0..255 of one class at level 0, held in blocks; blocks that are 0 throughout are not held.
class SoftMap {
 public:
  explicit SoftMap(Size slide) : slide_(slide) {}
  /// Takes the pixels of one u8 channel in place of what was there.
  void put(const Region& region, const ImageView& map);
  /// A window of the map reduced as cv::resize(whole, INTER_AREA) to (W // by, H // by) would.
  void paint(Reduction by, const Region& window, const ImageView& out) const;

 private:
  void get(const Region& region, const ImageView& out) const;

  Size slide_;
  std::map<std::pair<std::int64_t, std::int64_t>, Image> blocks_;  ///< by block row and column
};

}  // namespace nephron::host
