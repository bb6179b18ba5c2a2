#include <host/predict/enlarged_rows.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace nephron::host {

EnlargedRows::EnlargedRows(Size from, Size to, std::size_t maps, std::int64_t most, Give give)
    : from_(from),
      to_(to),
      most_(std::min(most, to.height)),
      give_(std::move(give)),
      last_(maps, std::vector<float>(static_cast<std::size_t>(to.width))),
      now_(last_) {
  for (std::int64_t x = 0; x < to.width; ++x) columns_.push_back(tap(x, from.width, to.width));
  for (std::size_t c = 0; c < maps; ++c) out_.emplace_back(Size{to.width, most_}, 1, Depth::f32);
}

EnlargedRows::Tap EnlargedRows::tap(std::int64_t i, std::int64_t from, std::int64_t to) {
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  const auto at = static_cast<float>((static_cast<double>(i) + 0.5) * scale - 0.5);
  const auto first = static_cast<std::int64_t>(std::floor(at));
  if (first < 0) return {0, 0};
  if (first >= from - 1) return {from - 1, 0};
  return {first, at - static_cast<float>(first)};
}

void EnlargedRows::widen(const float* row, std::vector<float>& out) const {
  const std::int64_t end = from_.width - 1;
  for (std::size_t x = 0; x < out.size(); ++x) {
    const Tap& t = columns_[x];
    out[x] = row[t.first] * (1 - t.share) + row[std::min(t.first + 1, end)] * t.share;
  }
}

void EnlargedRows::add(std::span<const ImageView> maps) {
  for (std::int64_t y = 0; y < maps.front().height; ++y) {
    last_.swap(now_);
    for (std::size_t c = 0; c < maps.size(); ++c) widen(maps[c].row<const float>(y), now_[c]);
    if (rows_++ == 0) last_ = now_;
    while (made_ < to_.height) {
      const Tap t = tap(made_, from_.height, to_.height);
      const std::int64_t needed = t.share > 0 ? t.first + 1 : t.first;
      if (needed >= rows_) break;
      make_row(made_++);
      if (made_ - given_ == most_) hand_over();
    }
  }
  if (made_ > given_) hand_over();
}

void EnlargedRows::make_row(std::int64_t y) {
  const Tap t = tap(y, from_.height, to_.height);
  const bool at_now = t.first == rows_ - 1;  // the last row, and nothing of a further one
  for (std::size_t c = 0; c < out_.size(); ++c) {
    const float* const a = (at_now ? now_ : last_)[c].data();
    const float* const b = now_[c].data();
    float* const to = out_[c].view().row<float>(y - given_);
    for (std::int64_t x = 0; x < to_.width; ++x) to[x] = a[x] * (1 - t.share) + b[x] * t.share;
  }
}

void EnlargedRows::hand_over() {
  std::vector<ImageView> views;
  for (const Image& map : out_) views.push_back(map.view().crop({0, 0, to_.width, made_ - given_}));
  give_(std::exchange(given_, made_), views);
}

}  // namespace nephron::host
