#include <conformance/overlaps.hpp>

#include <algorithm>

#include <conformance/bench.hpp>

namespace nephron::conformance {

std::vector<Region> overlaps_of(const Region& r, Size slide) {
  const std::int64_t half_w = r.width / 2, half_h = r.height / 2;
  // Odd steps: what is right for the multiples of something is not for all.
  const Region wishes[] = {
      {r.x, r.y + half_h, r.width, r.height - half_h},
      {r.x + half_w, r.y, r.width - half_w, r.height},
      {r.x + r.width / 7, r.y + r.height / 5, r.width / 2 + 1, r.height / 2 + 1},
      {r.x - 37, r.y - 29, r.width + 91, r.height + 83},
      {r.x - half_w - 3, r.y + half_h - 1, r.width, r.height},
      {r.x + half_w + 5, r.y - half_h - 2, r.width, r.height},
  };
  std::vector<Region> out;
  for (const Region& wish : wishes) {
    const Region fits = wish.clipped({0, 0, slide.width, slide.height});
    if (fits != r && !fits.empty() && !fits.clipped(r).empty()) out.push_back(fits);
  }
  return out;
}

bool same_where_both(const Shown& a, const Shown& b) {
  const Region both = a.region.clipped(b.region);
  const auto part = [&both](const Shown& shown) {
    return shown.pixels.view().crop({both.x - shown.region.x, both.y - shown.region.y, both.width, both.height});
  };
  return same_pixels(part(a), part(b));
}

std::string text_of(const Region& r) {
  return std::to_string(r.width) + " x " + std::to_string(r.height) + " at (" + std::to_string(r.x) + ", " +
         std::to_string(r.y) + ")";
}

}  // namespace nephron::conformance
