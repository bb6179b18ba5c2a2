#pragma once

#include <cmath>
#include <cstdint>

// DRAFT: may change or go with any version. Bodies of the signed distance of masks, each for one column or row: a loop
// runs them on a CPU, a kernel on a GPU.
#if defined(__CUDACC__)
#define NEPHRON_DRAFT_HOST_DEVICE __host__ __device__
#else
#define NEPHRON_DRAFT_HOST_DEVICE
#endif

namespace nephron::draft {

/// Planes of masks and what is made of them on the way. All packed.
struct DistancePlanes {
  const float* target = nullptr;  ///< [planes, H, W]; over 0.5 is foreground
  std::int32_t* down = nullptr;   ///< [2, planes, H, W]: along the column to the next foreground, and to the background
  std::int32_t* hull = nullptr;   ///< [2, planes, H, W]: room for a row's parabolas
  float* out = nullptr;           ///< [planes, H, W]
  std::int64_t planes = 0, height = 0, width = 0;

  NEPHRON_DRAFT_HOST_DEVICE std::int64_t pixels() const { return planes * height * width; }
  /// More than any distance in a plane.
  NEPHRON_DRAFT_HOST_DEVICE std::int32_t far() const { return static_cast<std::int32_t>(height + width); }
};

/// Column number `i` of planes * width.
struct ColumnPass {
  NEPHRON_DRAFT_HOST_DEVICE void operator()(const DistancePlanes& p, std::int64_t i) const {
    const std::int64_t first = i / p.width * p.height * p.width + i % p.width;
    for (int which = 0; which < 2; ++which) {
      std::int32_t* const down = p.down + which * p.pixels();
      std::int32_t distance = p.far();
      for (std::int64_t y = 0; y < p.height; ++y) {
        const std::int64_t at = first + y * p.width;
        distance = (p.target[at] > 0.5F) == (which == 0) ? 0 : distance < p.far() ? distance + 1 : distance;
        down[at] = distance;
      }
      for (std::int64_t y = p.height - 2; y >= 0; --y) {
        const std::int64_t at = first + y * p.width;
        if (down[at + p.width] + 1 < down[at]) down[at] = down[at + p.width] + 1;
      }
    }
  }
};

/// Row number `i` of planes * height, once all columns are done: the lower envelope of the columns' parabolas
/// (Meijster, Roerdink and Hesselink 2000), which is exact.
struct RowPass {
  NEPHRON_DRAFT_HOST_DEVICE void operator()(const DistancePlanes& p, std::int64_t i) const {
    const std::int64_t first = i * p.width;
    for (int which = 0; which < 2; ++which) {
      const std::int32_t* const down = p.down + which * p.pixels() + first;
      std::int32_t* const place = p.hull + first;              // whose parabola is lowest
      std::int32_t* const from = p.hull + p.pixels() + first;  // and from where on
      std::int64_t last = 0;
      place[0] = from[0] = 0;
      for (std::int64_t x = 1; x < p.width; ++x) {
        while (last >= 0 && height_of(down, place[last], from[last]) > height_of(down, x, from[last])) --last;
        if (last < 0) {
          last = 0;
          place[0] = static_cast<std::int32_t>(x);
          from[0] = 0;
        } else if (const std::int64_t crossing = 1 + crossing_of(down, place[last], x); crossing < p.width) {
          ++last;
          place[last] = static_cast<std::int32_t>(x);
          from[last] = static_cast<std::int32_t>(crossing);
        }
      }
      for (std::int64_t x = p.width - 1; x >= 0; --x) {
        if ((p.target[first + x] > 0.5F) != (which == 0)) p.out[first + x] = value(p, down, place[last], x, which);
        if (x == from[last]) --last;
      }
    }
  }

 private:
  NEPHRON_DRAFT_HOST_DEVICE static std::int64_t squared(std::int64_t v) { return v * v; }
  NEPHRON_DRAFT_HOST_DEVICE static std::int64_t height_of(const std::int32_t* down, std::int64_t of, std::int64_t x) {
    return squared(x - of) + squared(down[of]);
  }
  /// The last whole place where the parabola of `left` is not above that of `right`.
  NEPHRON_DRAFT_HOST_DEVICE static std::int64_t crossing_of(const std::int32_t* down, std::int64_t left,
                                                            std::int64_t right) {
    const std::int64_t over = squared(right) - squared(left) + squared(down[right]) - squared(down[left]);
    const std::int64_t under = 2 * (right - left);
    return over >= 0 ? over / under : -((-over + under - 1) / under);
  }
  NEPHRON_DRAFT_HOST_DEVICE static float value(const DistancePlanes& p, const std::int32_t* down, std::int64_t of,
                                               std::int64_t x, int which) {
    const std::int64_t found = height_of(down, of, x);
    if (found >= squared(p.far())) return 0;  // there is no boundary in this plane
    const double distance = std::sqrt(static_cast<double>(found));
    return static_cast<float>(which == 0 ? distance : 1 - distance);
  }
};

}  // namespace nephron::draft
