#include <host/labels/soft_map.hpp>

#include <algorithm>

#include <opencv2/core.hpp>

#include <nephron/image_cv.hpp>

#include <host/store/area.hpp>

namespace nephron::host {

namespace {

constexpr std::int64_t side = 256;

/// Calls visit(block row, block column, the block's region, its part inside `region`).
template <class F>
void for_blocks(const Region& region, F&& visit) {
  for (std::int64_t by = region.y / side; by * side < region.y + region.height; ++by)
    for (std::int64_t bx = region.x / side; bx * side < region.x + region.width; ++bx) {
      const Region block{bx * side, by * side, side, side};
      visit(std::pair(by, bx), block, region.clipped(block));
    }
}

Region relative(const Region& part, const Region& to) {
  return {part.x - to.x, part.y - to.y, part.width, part.height};
}

}  // namespace

void SoftMap::put(const Region& region, const ImageView& map) {
  for_blocks(region, [&](const auto& key, const Region& block, const Region& part) {
    const ImageView from = map.crop(relative(part, region));
    auto found = blocks_.find(key);
    if (found == blocks_.end()) {
      if (cv::countNonZero(as_mat(from)) == 0) return;
      found = blocks_.emplace(key, Image({side, side}, 1)).first;
    }
    copy(from, found->second.view().crop(relative(part, block)));
  });
}

void SoftMap::get(const Region& region, const ImageView& out) const {
  for_blocks(region, [&](const auto& key, const Region& block, const Region& part) {
    const ImageView to = out.crop(relative(part, region));
    if (const auto found = blocks_.find(key); found != blocks_.end())
      copy(found->second.view().crop(relative(part, block)), to);
    else as_mat(to).setTo(0);
  });
}

void SoftMap::paint(Reduction by, const Region& window, const ImageView& out) const {
  if (by == 1) return get(window, out);
  const AreaReduction reduction(slide_, by);
  const Region source = reduction.source_of(window);
  // The reduction is of colours, channel by channel: one of three equal ones is taken.
  const Image grey(source.size(), 1), colour(source.size(), 3), small(window.size(), 3);
  get(source, grey.view());
  const cv::Mat one = as_mat(grey.view());
  cv::Mat three = as_mat(colour.view()), to = as_mat(out);
  cv::merge(std::vector<cv::Mat>{one, one, one}, three);
  reduction.reduce(colour.view(), source, window, small.view());
  cv::extractChannel(as_mat(small.view()), to, 0);
}

}  // namespace nephron::host
