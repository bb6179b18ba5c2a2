#include <host/labels/nearest.hpp>

#include <algorithm>
#include <cmath>

namespace nephron::host {

NearestAxis::NearestAxis(std::int64_t full, std::int64_t reduced, std::int64_t first, std::int64_t count)
    : source_(static_cast<std::size_t>(count)) {
  // OpenCV's own way to the scale, twice inverted: it is not always the quotient of the sides.
  const double inverse = static_cast<double>(reduced) / static_cast<double>(full);
  const double scale = 1 / inverse;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto s = static_cast<std::int64_t>(std::floor(static_cast<double>(first + i) * scale));
    source_[static_cast<std::size_t>(i)] = std::min(s, full - 1);
  }
  after_.resize(static_cast<std::size_t>(back() - front() + 1));
  std::int64_t next = 0;
  for (std::int64_t s = front(); s <= back(); ++s) {
    if (source(next) < s) ++next;
    after_[static_cast<std::size_t>(s - front())] = static_cast<std::int32_t>(next);
  }
}

}  // namespace nephron::host
