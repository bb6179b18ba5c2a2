#include <host/data/tissue_index.hpp>

#include <nephron/error.hpp>

namespace nephron::host {

TissueIndex::TissueIndex(const Tissue& tissue, Size level)
    : level_(level), block_(tissue.block), across_((level.width + block_ - 1) / block_) {
  const std::int64_t down = (level.height + block_ - 1) / block_;
  if (tissue.mask.size() != Size{across_, down}) throw Error("a picture of tissue has the wrong size");
  const auto wide = static_cast<std::size_t>(across_ + 1);
  sums_.resize(wide * static_cast<std::size_t>(down + 1));
  for (std::size_t y = 0; y < static_cast<std::size_t>(down); ++y) {
    const auto* row = tissue.mask.view().row<const std::uint8_t>(static_cast<std::int64_t>(y));
    std::int32_t here = 0;
    for (std::size_t x = 0; x + 1 < wide; ++x) {
      here += row[x] != 0 ? 1 : 0;
      sums_[(y + 1) * wide + x + 1] = sums_[y * wide + x + 1] + here;
    }
  }
}

std::int64_t TissueIndex::before(std::int64_t x, std::int64_t y) const {
  const std::int64_t bx = x / block_, by = y / block_, fx = x % block_, fy = y % block_;
  const auto sum = [&](std::int64_t u, std::int64_t v) -> std::int64_t {
    return sums_[static_cast<std::size_t>(v * (across_ + 1) + u)];
  };
  std::int64_t out = block_ * block_ * sum(bx, by);
  // Where a block is cut there is one more: a corner at the level's end may lie within the last one.
  if (fx > 0) out += block_ * fx * (sum(bx + 1, by) - sum(bx, by));
  if (fy > 0) out += block_ * fy * (sum(bx, by + 1) - sum(bx, by));
  if (fx > 0 && fy > 0) out += fx * fy * (sum(bx + 1, by + 1) - sum(bx, by + 1) - sum(bx + 1, by) + sum(bx, by));
  return out;
}

std::int64_t TissueIndex::pixels(const Region& region) const {
  const Region r = region.clipped({0, 0, level_.width, level_.height});
  if (r.empty() || sums_.empty()) return 0;
  const std::int64_t right = r.x + r.width, below = r.y + r.height;
  return before(right, below) - before(r.x, below) - before(right, r.y) + before(r.x, r.y);
}

}  // namespace nephron::host
