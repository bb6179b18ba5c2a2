#include <host/tiling/glass.hpp>

#include <algorithm>
#include <cmath>
#include <memory>

#include <host/data/tissue_index.hpp>
#include <host/tiling/many_tiles.hpp>

namespace nephron::host {

Glass::Glass(const ImageView& small, Size level) : Glass(tissue_of(small), small.size(), level) {}

Glass::Glass(const Tissue& tissue, Size level) : Glass(tissue, level, level) {}

Glass::Glass(const Tissue& tissue, Size small, Size level) : small_(small), level_(level), block_(tissue.block) {
  if (tissue.pixels(small) == 0) return;
  tissue_in_ = [index = std::make_shared<const TissueIndex>(tissue, small)](const Region& r) {
    return index->pixels(r);
  };
}

Glass::Glass(const PreparedSlide& slide)
    : small_(slide.size()), level_(slide.size()), block_(SmallPicture(slide.size()).block()) {
  if (slide.catalog().tissue == 0) return;
  tissue_in_ = [&slide](const Region& r) { return slide.tissue(r); };
}

bool Glass::only(const Region& tile) const {
  if (!known()) return false;
  const double across = static_cast<double>(small_.width) / static_cast<double>(level_.width);
  const double down = static_cast<double>(small_.height) / static_cast<double>(level_.height);
  const auto low = [&](std::int64_t v, double by) {
    return std::max<std::int64_t>(0, static_cast<std::int64_t>(std::floor(static_cast<double>(v) * by)) - block_);
  };
  const auto high = [&](std::int64_t v, double by, std::int64_t end) {
    return std::min(end, static_cast<std::int64_t>(std::ceil(static_cast<double>(v) * by)) + block_);
  };
  const std::int64_t x = low(tile.x, across), y = low(tile.y, down);
  const std::int64_t right = high(tile.x + tile.width, across, small_.width);
  const std::int64_t bottom = high(tile.y + tile.height, down, small_.height);
  return tissue_in_({x, y, right - x, bottom - y}) == 0;
}

Glass glass_of(const PreparedSlide& slide, const Experiment& experiment) {
  return has_many_tiles(slide.size(), experiment.data.tile, experiment.predict.overlap) ? Glass(slide) : Glass();
}

}  // namespace nephron::host
