#include "scene.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "noise.hpp"

namespace synthetic {

float Object::depth(float px, float py) const noexcept {
  const float dx = px - x, dy = py - y;
  const float d = std::sqrt(dx * dx + dy * dy);
  if (d < 1e-3F) return 0;
  const float c = dx / d, s = dy / d;
  const float cos2 = c * c - s * s, sin2 = 2 * c * s;
  const float cos3 = cos2 * c - sin2 * s, sin3 = sin2 * c + cos2 * s;
  return d / (radius * (1 + a2 * (cos2 * c2 - sin2 * s2) + a3 * (cos3 * c3 - sin3 * s3)));
}

nephron::Polygon Object::outline() const {
  constexpr int vertices = 128;
  std::vector<nephron::Point> ring;
  for (int i = 0; i < vertices; ++i) {
    const double angle = 2 * std::numbers::pi * i / vertices;
    const auto c = static_cast<float>(std::cos(angle)), s = static_cast<float>(std::sin(angle));
    const double r = 1 / depth(x + c, y + s);  // px from the centre to the outline
    ring.push_back({x + c * r, y + s * r});
  }
  return {ring};
}

Scene::Scene(const SceneOptions& o, nephron::Rng rng) : size_(o.size), seed_(rng.bits()) {
  const double angle = rng.uniform(-0.35, 0.35);
  cos_ = static_cast<float>(std::cos(angle)), sin_ = static_cast<float>(std::sin(angle));
  rx_ = static_cast<float>(static_cast<double>(size_.width) * rng.uniform(0.44, 0.49));
  ry_ = static_cast<float>(static_cast<double>(size_.height) * rng.uniform(0.36, 0.46));
  const double megapixels = static_cast<double>(size_.area()) * 0.62e-6;  // of tissue, about
  const auto wanted = [&](double density) { return std::max<std::int64_t>(1, std::llround(density * megapixels)); };
  const std::int64_t gloms = o.glomeruli > 0 ? wanted(o.glomeruli) : 0;
  for (std::int64_t i = 0; i < gloms; ++i) {
    const bool sclerotic = rng.chance(o.sclerotic);
    const double radius = o.radius * rng.uniform(0.82, 1.18) * (sclerotic ? 0.68 : 1);
    place(sclerotic ? Sort::sclerotic : Sort::healthy, radius, rng);
  }
  for (std::int64_t i = 0; i < wanted(3.0); ++i) place(Sort::vessel, o.radius * rng.uniform(0.22, 0.55), rng);
  index();
}

// Tries some places; a crowded slide ends up with fewer objects than were asked for.
bool Scene::place(Sort sort, double radius, nephron::Rng& rng) {
  Object o;
  o.sort = sort;
  o.radius = static_cast<float>(radius);
  o.a2 = static_cast<float>(rng.uniform(0.02, sort == Sort::vessel ? 0.18 : 0.1));
  o.a3 = static_cast<float>(rng.uniform(0, 0.05));
  const double p2 = rng.uniform(0, 2 * std::numbers::pi), p3 = rng.uniform(0, 2 * std::numbers::pi);
  o.c2 = static_cast<float>(std::cos(p2)), o.s2 = static_cast<float>(std::sin(p2));
  o.c3 = static_cast<float>(std::cos(p3)), o.s3 = static_cast<float>(std::sin(p3));
  o.seed = rng.bits();
  for (int attempt = 0; attempt < 60; ++attempt) {
    o.x = static_cast<float>(rng.uniform(0, static_cast<double>(size_.width)));
    o.y = static_cast<float>(rng.uniform(0, static_cast<double>(size_.height)));
    const float r = o.reach();
    bool free = true;
    for (const auto& [dx, dy] : {std::pair{r, 0.0F}, {-r, 0.0F}, {0.0F, r}, {0.0F, -r}})
      free = free && tissue(o.x + dx * 1.1F, o.y + dy * 1.1F) > 0.01F;
    for (const Object& other : objects_)
      free = free && std::hypot(other.x - o.x, other.y - o.y) > (other.reach() + r) * 1.06F + 6;
    if (!free) continue;
    objects_.push_back(o);
    return true;
  }
  return false;
}

float Scene::tissue(float x, float y) const noexcept {
  const float dx = x - static_cast<float>(size_.width) / 2, dy = y - static_cast<float>(size_.height) / 2;
  const float u = std::abs(dx * cos_ + dy * sin_) / rx_, v = std::abs(dy * cos_ - dx * sin_) / ry_;
  const float side = static_cast<float>(std::min(size_.width, size_.height));
  const float shape = 1 - (u * u * u + v * v * v);
  if (shape > 0.5F || shape < -0.5F) return shape;  // far from the edge
  return shape + 0.35F * (noise(x, y, side / 5, seed_) - 0.5F) + 0.05F * (noise(x, y, 34, seed_ + 1) - 0.5F);
}

void Scene::index() {
  across_ = (static_cast<std::size_t>(size_.width) + cell - 1) / cell;
  const std::size_t down = (static_cast<std::size_t>(size_.height) + cell - 1) / cell;
  blocks_.resize(across_ * down);
  for (std::size_t i = 0; i < objects_.size(); ++i) {
    const Object& o = objects_[i];
    const float r = o.reach() * 1.1F + 4;  // the fibres around it are painted with it
    const auto block = [&](float v, std::size_t n) {
      return std::min(static_cast<std::size_t>(std::max(0.0F, v)) / cell, n - 1);
    };
    for (std::size_t by = block(o.y - r, down); by <= block(o.y + r, down); ++by)
      for (std::size_t bx = block(o.x - r, across_); bx <= block(o.x + r, across_); ++bx)
        blocks_[by * across_ + bx].push_back(static_cast<std::uint32_t>(i));
  }
}

}  // namespace synthetic
