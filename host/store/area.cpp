#include <host/store/area.hpp>

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstring>
#include <string>

#include <nephron/error.hpp>

#include <host/store/area_rows.hpp>

namespace nephron::host {

// The rest of a side is at most a pixel less than a block, and may make one block of two.
static_assert(2 * AreaReduction::largest_factor - 1 <= Block::most);

AreaReduction::AreaReduction(Size full, Reduction reduction)
    : full_(full), size_(reduction.size_of(full)), reduction_(reduction) {
  if (!(reduction.value() >= 1 && reduction.value() <= largest_factor))
    throw Error("a slide cannot be reduced by " + reduction.str() + "; expected 1 to " +
                std::to_string(largest_factor));
  if (size_.empty())
    throw Error("the slide of " + std::to_string(full.width) + " x " + std::to_string(full.height) +
                    " px has nothing left after reduction by " + reduction.str(),
                reduction.whole() ? "choose a smaller data.factor" : "choose a smaller data.mpp");
  // OpenCV's own way to the scale: it takes the fast path only where this comes out whole.
  const double scale_x = 1 / (static_cast<double>(size_.width) / static_cast<double>(full.width));
  const double scale_y = 1 / (static_cast<double>(size_.height) / static_cast<double>(full.height));
  const auto whole = [](double scale) { return std::abs(scale - std::nearbyint(scale)) < DBL_EPSILON; };
  exact_ = whole(scale_x) && whole(scale_y);
  if (exact_) {
    block_ = {static_cast<int>(full.width / size_.width), static_cast<int>(full.height / size_.height)};
    return;
  }
  x_ = weighted_axis(full.width, size_.width, scale_x);
  y_ = weighted_axis(full.height, size_.height, scale_y);
}

// The weights that OpenCV 4 and 5 give (computeResizeAreaTab): parts of pixels under a thousandth are left out.
AreaReduction::Axis AreaReduction::weighted_axis(std::int64_t full, std::int64_t reduced, double scale) {
  constexpr double least = 1e-3;
  Axis axis;
  axis.taps.reserve(static_cast<std::size_t>(reduced));
  for (std::int64_t i = 0; i < reduced; ++i) {
    const double start = static_cast<double>(i) * scale, end = start + scale;
    const double width = std::min(scale, static_cast<double>(full) - start);
    const auto last = std::min(static_cast<std::int64_t>(std::floor(end)), full - 1);
    const auto first = std::min(static_cast<std::int64_t>(std::ceil(start)), last);
    Taps taps{first, 0, static_cast<std::uint32_t>(axis.weights.size())};
    if (static_cast<double>(first) - start > least) {
      --taps.first;
      axis.weights.push_back(static_cast<float>((static_cast<double>(first) - start) / width));
    }
    for (std::int64_t s = first; s < last; ++s) axis.weights.push_back(static_cast<float>(1 / width));
    if (const double rest = end - static_cast<double>(last); rest > least)
      axis.weights.push_back(static_cast<float>(std::min(std::min(rest, 1.), width) / width));
    taps.count = static_cast<std::int32_t>(axis.weights.size() - taps.first_weight);
    axis.taps.push_back(taps);
  }
  return axis;
}

Region AreaReduction::source_of(const Region& part) const {
  if (part.clipped({0, 0, size_.width, size_.height}) != part || part.empty())
    throw Error("a part to reduce is not inside the picture");
  if (exact_)
    return {part.x * block_.width, part.y * block_.height, part.width * block_.width, part.height * block_.height};
  const auto range = [](const Axis& axis, std::int64_t from, std::int64_t n) {
    const Taps& a = axis.taps[static_cast<std::size_t>(from)];
    const Taps& b = axis.taps[static_cast<std::size_t>(from + n - 1)];
    return std::pair(a.first, b.first + b.count - a.first);
  };
  const auto [x, width] = range(x_, part.x, part.width);
  const auto [y, height] = range(y_, part.y, part.height);
  return {x, y, width, height};
}

void AreaReduction::reduce(const ImageView& source, const Region& region, const Region& part,
                           const ImageView& out) const {
  const Region needed = source_of(part);
  if (needed.clipped(region) != needed || source.size() != region.size() || out.size() != part.size() ||
      source.channels != 3 || out.channels != 3)
    throw Error("a part of a slide cannot be reduced from pixels that do not hold it");
  if (exact_) reduce_exact(source, region, part, out);
  else reduce_weighted(source, region, part, out);
}

void AreaReduction::reduce_exact(const ImageView& source, const Region& region, const Region& part,
                                 const ImageView& out) const {
  const std::int64_t left = part.x * block_.width - region.x, top = part.y * block_.height - region.y;
  for (std::int64_t y = 0; y < part.height; ++y) {
    const auto* from = source.row<const std::uint8_t>(top + y * block_.height) + 3 * left;
    auto* to = out.row<std::uint8_t>(y);
    if (block_.width == 1 && block_.height == 1) std::memcpy(to, from, static_cast<std::size_t>(3 * part.width));
    else area_row(from, source.stride, block_, part.width, to);
  }
}

void AreaReduction::reduce_weighted(const ImageView& source, const Region& region, const Region& part,
                                    const ImageView& out) const {
  const auto n = static_cast<std::size_t>(3 * part.width);
  std::vector<float> row(n), sum(n);
  for (std::int64_t y = 0; y < part.height; ++y) {
    const Taps& down = y_.taps[static_cast<std::size_t>(part.y + y)];
    std::fill(sum.begin(), sum.end(), 0.F);
    for (std::int32_t j = 0; j < down.count; ++j) {
      const auto* from = source.row<const std::uint8_t>(down.first + j - region.y);
      for (std::int64_t x = 0; x < part.width; ++x) {
        const Taps& across = x_.taps[static_cast<std::size_t>(part.x + x)];
        const auto* p = from + 3 * (across.first - region.x);
        const float* w = x_.weights.data() + across.first_weight;
        float r = 0, g = 0, b = 0;
        for (std::int32_t k = 0; k < across.count; ++k, p += 3) {
          r += static_cast<float>(p[0]) * w[k];
          g += static_cast<float>(p[1]) * w[k];
          b += static_cast<float>(p[2]) * w[k];
        }
        float* to = row.data() + 3 * x;
        to[0] = r, to[1] = g, to[2] = b;
      }
      const float weight = y_.weights[down.first_weight + static_cast<std::uint32_t>(j)];
      for (std::size_t i = 0; i < n; ++i) sum[i] += weight * row[i];
    }
    auto* to = out.row<std::uint8_t>(y);
    for (std::size_t i = 0; i < n; ++i)
      to[i] = static_cast<std::uint8_t>(std::clamp(std::nearbyint(sum[i]), 0.F, 255.F));
  }
}

}  // namespace nephron::host
