#include <conformance/motion.hpp>

#include <cmath>
#include <cstdint>

namespace nephron::conformance {

namespace {

// Of the hills: red tells the part of the width, green that of the height, and blue is the ground above both, so that
// colours that were changed belong to no place.
constexpr float darkest = 0.1F, range = 0.8F;
float ground(float u, float v) { return 0.5F + 0.4F * std::sin(12 * u) * std::cos(10 * v); }

/// Equally likely values in [0, 1], without relation between places.
float noise(std::int64_t x, std::int64_t y, int channel) {
  std::uint64_t h = static_cast<std::uint64_t>(x + 1) * 0x9E3779B97F4A7C15ULL +
                    static_cast<std::uint64_t>(y + 1) * 0xC2B2AE3D27D4EB4FULL +
                    static_cast<std::uint64_t>(channel + 1) * 0x165667B19E3779F9ULL;
  h ^= h >> 31, h *= 0xBF58476D1CE4E5B9ULL, h ^= h >> 29, h *= 0x94D049BB133111EBULL, h ^= h >> 32;
  return static_cast<float>(h & 0xFFFF) / 65535;
}

/// Of some three pixels: it survives resampling, and 2 pixels on it is another one.
float grain(std::int64_t x, std::int64_t y, int channel) {
  float sum = 0;
  for (int j = -1; j <= 1; ++j)
    for (int i = -1; i <= 1; ++i)
      sum += noise(x + i, y + j, channel) * static_cast<float>((2 - i * i) * (2 - j * j)) / 16;
  return sum;
}

/// Most pixels have the colour of a place that is not theirs, some 5 pixels away and more.
bool hills_moved(const Planes& before, const Planes& after) {
  constexpr float far = 0.016F;
  std::size_t elsewhere = 0;
  for (std::size_t i = 0; i < after.channels[0].size(); ++i) {
    const auto place = [i](const Planes& p, std::size_t c) { return (p.channels[c][i] - darkest) / range; };
    const float u = place(after, 0), v = place(after, 1);
    if (std::hypot(u - place(before, 0), v - place(before, 1)) > far &&
        std::abs(after.channels[2][i] - ground(u, v)) < 4.0F / 255)
      ++elsewhere;
  }
  return 2 * elsewhere > after.channels[0].size();
}

constexpr std::int64_t block = 12, reach = 34;

/// Correlation of the block of `after` at (x, y) with that of `before` at (x + dx, y + dy); 0 where one is flat.
double likeness(const float* before, const float* after, std::int64_t width, std::int64_t x, std::int64_t y,
                std::int64_t dx, std::int64_t dy) {
  float a = 0, b = 0, aa = 0, bb = 0, ab = 0;
  for (std::int64_t j = y; j < y + block; ++j) {
    const float* p = before + (j + dy) * width + x + dx;
    const float* q = after + j * width + x;
    for (std::int64_t i = 0; i < block; ++i)
      a += p[i], b += q[i], aa += p[i] * p[i], bb += q[i] * q[i], ab += p[i] * q[i];
  }
  constexpr float n = block * block;
  const float spread = (aa - a * a / n) * (bb - b * b / n);
  return spread > 1e-4F ? std::abs(ab - a * b / n) / std::sqrt(spread) : 0;
}

/// The block came from elsewhere: it is clearly like another place, and not like its own or its neighbours'.
bool block_moved(const std::vector<float>& before, const std::vector<float>& after, std::int64_t width, std::int64_t x,
                 std::int64_t y) {
  const auto like = [&](std::int64_t dx, std::int64_t dy) {
    return likeness(before.data(), after.data(), width, x, y, dx, dy);
  };
  for (std::int64_t dy = -1; dy <= 1; ++dy)
    for (std::int64_t dx = -1; dx <= 1; ++dx)
      if (like(dx, dy) > 0.7) return false;
  for (std::int64_t dy = -reach; dy <= reach; ++dy)
    for (std::int64_t dx = -reach; dx <= reach; ++dx)
      if (like(dx, dy) > 0.85) return true;
  return false;
}

bool grain_moved(const Planes& before, const Planes& after) {
  int blocks = 0, elsewhere = 0;
  for (std::int64_t y = reach; y + block + reach <= after.size.height; y += 4 * block)
    for (std::int64_t x = reach; x + block + reach <= after.size.width; x += 4 * block)
      for (std::size_t c = 0; c < 3; ++c) {
        ++blocks;
        if (block_moved(before.channels[c], after.channels[c], after.size.width, x, y)) ++elsewhere;
      }
  return 2 * elsewhere > blocks;
}

}  // namespace

float textured(Texture texture, Size size, std::int64_t x, std::int64_t y, int channel) {
  if (texture == Texture::grain) return 0.1F + 0.8F * grain(x, y, channel);
  const float u = static_cast<float>(x) / static_cast<float>(size.width),
              v = static_cast<float>(y) / static_cast<float>(size.height);
  return channel == 2 ? ground(u, v) : darkest + range * (channel == 0 ? u : v);
}

bool moved(Texture texture, const Planes& before, const Planes& after) {
  return texture == Texture::hills ? hills_moved(before, after) : grain_moved(before, after);
}

}  // namespace nephron::conformance
