#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nephron/geometry.hpp>
#include <nephron/rng.hpp>

namespace synthetic {

enum class Sort : std::uint8_t { healthy, sclerotic, vessel };

/// A round thing with a slightly wavy outline: radius(angle) = radius (1 + a2 cos(2 angle + p2) + a3 cos(3 angle +
/// p3)).
struct Object {
  Sort sort = Sort::healthy;
  float x = 0, y = 0, radius = 0;
  float a2 = 0, a3 = 0;
  float c2 = 1, s2 = 0, c3 = 1, s3 = 0;  ///< cosines and sines of p2, p3
  std::uint32_t seed = 0;

  /// Distance from the centre in units of the outline's radius in that direction: below 1 is inside.
  float depth(float px, float py) const noexcept;
  float reach() const noexcept { return radius * (1 + a2 + a3); }
  nephron::Polygon outline() const;
};

struct SceneOptions {
  nephron::Size size{2048, 2048};
  double glomeruli = 4.5;   ///< a megapixel of tissue
  double sclerotic = 0.25;  ///< share of glomeruli
  double radius = 105;      ///< mean of a healthy one, px
};

/// What lies where on one slide; the painter turns it into pixels. Const calls are thread-safe.
class Scene {
 public:
  Scene(const SceneOptions& options, nephron::Rng rng);

  nephron::Size size() const noexcept { return size_; }
  std::uint32_t seed() const noexcept { return seed_; }
  const std::vector<Object>& objects() const noexcept { return objects_; }
  /// Positive in tissue, negative on glass; about 0.01 a part of the slide's hundredth.
  float tissue(float x, float y) const noexcept;
  /// Objects that may reach the block of `cell` px that the point lies in.
  const std::vector<std::uint32_t>& near(float x, float y) const noexcept {
    return blocks_[static_cast<std::size_t>(y) / cell * across_ + static_cast<std::size_t>(x) / cell];
  }

 private:
  static constexpr std::size_t cell = 64;
  bool place(Sort sort, double radius, nephron::Rng& rng);
  void index();

  nephron::Size size_;
  std::uint32_t seed_ = 0;
  float cos_ = 1, sin_ = 0, rx_ = 1, ry_ = 1;
  std::vector<Object> objects_;
  std::size_t across_ = 0;
  std::vector<std::vector<std::uint32_t>> blocks_;
};

}  // namespace synthetic
