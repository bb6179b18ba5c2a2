#include <host/data/connected_parts.hpp>

#include <algorithm>

#include <nephron/label_pixels.hpp>

namespace nephron::host {

void ConnectedParts::begin_row(std::int64_t y) {
  std::swap(above_, here_);
  if (y != y_ + 1) above_.clear();
  here_.clear();
  next_above_ = 0;
  y_ = y;
}

std::size_t ConnectedParts::root(std::size_t part) const {
  while (parents_[part] != part) part = parents_[part];
  return part;
}

void ConnectedParts::add_piece(std::int64_t first, std::int64_t end) {
  while (next_above_ < above_.size() && above_[next_above_].end < first) ++next_above_;
  std::size_t part = parents_.size();
  for (std::size_t i = next_above_; i < above_.size() && above_[i].first <= end; ++i) {
    std::size_t other = root(above_[i].part);
    if (part == parents_.size()) {
      part = other;
      continue;
    }
    if (other == part) continue;
    if (other < part) std::swap(other, part);  // the earlier one goes on
    parents_[other] = part;
    Box &into = boxes_[part], &from = boxes_[other];
    into = {std::min(into.left, from.left), std::min(into.top, from.top), std::max(into.right, from.right),
            std::max(into.bottom, from.bottom)};
  }
  if (part == parents_.size()) {
    parents_.push_back(part);
    boxes_.push_back({first, y_, end - 1, y_});
  }
  Box& box = boxes_[part];
  box = {std::min(box.left, first), box.top, std::max(box.right, end - 1), y_};
  here_.push_back({first, end, part});
}

void ConnectedParts::add(const ImageView& labels, std::int64_t row, std::int64_t left, std::uint32_t bit) {
  with_label_type(labels.depth, [&](auto zero) {
    const auto* const pixels = labels.row<const decltype(zero)>(row);
    for (std::int64_t x = 0; x < labels.width;) {
      while (x < labels.width && (pixels[x] & bit) == 0) ++x;
      const std::int64_t first = x;
      while (x < labels.width && (pixels[x] & bit) != 0) ++x;
      if (x > first) add_piece(left + first, left + x);
    }
  });
}

std::vector<Region> ConnectedParts::boxes() const {
  std::vector<Region> out;
  for (std::size_t i = 0; i < parents_.size(); ++i) {
    const Box& b = boxes_[i];
    if (parents_[i] == i) out.push_back({b.left, b.top, b.right - b.left + 1, b.bottom - b.top + 1});
  }
  return out;
}

}  // namespace nephron::host
