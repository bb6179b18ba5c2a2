#include <host/predict/glass.hpp>

#include <algorithm>
#include <cmath>

namespace nephron::host {

Glass::Glass(const ImageView& small, Size level) : small_(small.size()), level_(level) {
  const Tissue tissue = tissue_of(small);
  known_ = tissue.pixels(small_) > 0;
  tissue_ = TissueIndex(tissue, small_);
}

bool Glass::only(const Region& tile) const {
  if (!known_) return false;
  const double across = static_cast<double>(small_.width) / static_cast<double>(level_.width);
  const double down = static_cast<double>(small_.height) / static_cast<double>(level_.height);
  // One pixel of the small copy more on each side: what it averaged may reach over the tile's edge.
  const auto low = [](double v) { return std::max<std::int64_t>(0, static_cast<std::int64_t>(std::floor(v)) - 1); };
  const auto high = [](double v, std::int64_t end) {
    return std::min(end, static_cast<std::int64_t>(std::ceil(v)) + 1);
  };
  const std::int64_t x = low(static_cast<double>(tile.x) * across), y = low(static_cast<double>(tile.y) * down);
  const std::int64_t right = high(static_cast<double>(tile.x + tile.width) * across, small_.width);
  const std::int64_t bottom = high(static_cast<double>(tile.y + tile.height) * down, small_.height);
  return tissue_.pixels({x, y, right - x, bottom - y}) == 0;
}

}  // namespace nephron::host
