#include "surface.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstring>

#include <boost/geometry.hpp>
#include <boost/geometry/geometries/point.hpp>
#include <boost/geometry/index/rtree.hpp>

namespace outlines {

namespace {

namespace bg = boost::geometry;
using Corner = bg::model::point<double, 2, bg::cs::cartesian>;

/// Of the outline at a corner, by its four pixels: above left 8, above right 4, below left 2, below right 1.
constexpr std::array<float, 16> lengths = [] {
  constexpr float slanted = 0.70710678F;  // half the diagonal of a pixel
  std::array<float, 16> out{};
  for (const std::size_t one : {1U, 2U, 4U, 8U, 14U, 13U, 11U, 7U}) out[one] = slanted;
  for (const std::size_t side : {3U, 12U, 5U, 10U}) out[side] = 1;
  for (const std::size_t crossed : {6U, 9U}) out[crossed] = 2 * slanted;
  return out;
}();

/// Eight pixels.
std::uint64_t eight(const std::uint8_t* pixels) {
  std::uint64_t out;
  std::memcpy(&out, pixels, sizeof out);
  return out;
}

}  // namespace

void Surface::row(std::int64_t y, const std::uint8_t* pixels, std::int64_t width) {
  const auto padded = static_cast<std::size_t>(width) + 2;
  below_.assign(padded, 0);
  if (width > 0) std::memcpy(below_.data() + 1, pixels, static_cast<std::size_t>(width));
  const bool any = std::memchr(pixels, 1, static_cast<std::size_t>(width)) != nullptr;
  if (above_.size() != padded || y != last_ + 1) {
    finish();
    above_.assign(padded, 0);
  }
  if (any || any_) corners(y, above_.data(), below_.data());
  std::swap(above_, below_);
  last_ = y, any_ = any;
}

void Surface::finish() {
  if (any_) {
    below_.assign(above_.size(), 0);
    corners(last_ + 1, above_.data(), below_.data());
  }
  above_.clear();
  any_ = false;
}

void Surface::corners(std::int64_t y, const std::uint8_t* above, const std::uint8_t* below) {
  constexpr std::uint64_t ones = 0x0101010101010101ULL;
  const auto n = static_cast<std::int64_t>(above_.size()) - 1;  // corners
  for (std::int64_t x = 0; x < n;) {
    if (x + 8 <= n) {  // inside and outside, eight corners at a time
      const std::uint64_t a = eight(above + x), b = eight(below + x);
      if (a == b && (a == 0 || a == ones) && above[x + 8] == above[x] && below[x + 8] == below[x]) {
        x += 8;
        continue;
      }
    }
    const std::int64_t stop = std::min(n, x + 8);
    for (; x < stop; ++x) {
      const auto code = static_cast<std::size_t>(above[x] * 8 + above[x + 1] * 4 + below[x] * 2 + below[x + 1]);
      if (code != 0 && code != 15)
        elements_.push_back({static_cast<std::int32_t>(x), static_cast<std::int32_t>(y), lengths[code]});
    }
  }
}

std::vector<Distance> distances(const std::vector<Element>& from, const std::vector<Element>& to) {
  std::vector<Distance> out;
  if (from.empty() || to.empty()) return out;
  std::vector<Corner> corners;
  corners.reserve(to.size());
  for (const Element& e : to) corners.emplace_back(e.x, e.y);
  const bg::index::rtree<Corner, bg::index::quadratic<16>> tree(corners);  // packed: no node is split
  out.reserve(from.size());
  for (const Element& e : from) {
    Corner nearest;
    tree.query(bg::index::nearest(Corner(e.x, e.y), 1), &nearest);
    out.push_back({std::hypot(bg::get<0>(nearest) - e.x, bg::get<1>(nearest) - e.y), e.length});
  }
  std::stable_sort(out.begin(), out.end(), [](const Distance& a, const Distance& b) { return a.pixels < b.pixels; });
  return out;
}

}  // namespace outlines
