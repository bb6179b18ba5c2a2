#include "painter.hpp"

#include <algorithm>
#include <cmath>

#include "noise.hpp"

namespace synthetic {

namespace {

struct Rgb {
  float r, g, b;
};

Rgb mix(const Rgb& a, const Rgb& b, float t) noexcept {
  return {a.r + t * (b.r - a.r), a.g + t * (b.g - a.g), a.b + t * (b.b - a.b)};
}

Rgb shaded(const Rgb& a, float by) noexcept { return {a.r + by, a.g + by, a.b + by}; }

// Periodic acid-Schiff: membranes and matrix magenta, cytoplasm pink, nuclei blue to purple, lumina nearly glass.
constexpr Rgb glass{243, 241, 244};
constexpr Rgb lumen{238, 229, 238};
constexpr Rgb stroma{217, 184, 214};
constexpr Rgb membrane{160, 52, 132};
constexpr Rgb proximal{198, 150, 197};
constexpr Rgb distal{212, 180, 214};
constexpr Rgb nucleus{82, 62, 130};
constexpr Rgb mesangium{172, 92, 160};
constexpr Rgb endothelium{203, 150, 198};
constexpr Rgb scar{214, 142, 192};
constexpr Rgb muscle{208, 150, 192};

/// Darkness in [0, 1] of the nucleus at this place: one may lie in each square of `pitch` px, wholly inside it.
float nucleus_at(float x, float y, float pitch, float chance, std::uint32_t seed) noexcept {
  const float v = std::floor(y / pitch);
  x += pitch * part(hash(static_cast<std::int32_t>(v), 7, seed), 0);  // rows are shifted: no lattice shows
  const float u = std::floor(x / pitch);
  const std::uint32_t h = hash(static_cast<std::int32_t>(u), static_cast<std::int32_t>(v), seed);
  if (part(h, 0) >= chance) return 0;
  const float radius = pitch * (0.24F + 0.09F * part(h, 1));
  const float play = pitch - 2 * radius - 1.5F;
  const float dx = x - (u * pitch + pitch / 2 + (part(h, 2) - 0.5F) * play);
  const float dy = (y - (v * pitch + pitch / 2 + (part(h, 3) - 0.5F) * play)) * (1 + 0.35F * part(h, 1));
  return 1 - step(radius - 1.2F, radius + 0.6F, std::sqrt(dx * dx + dy * dy));
}

/// The nearest and second nearest seeds of a jittered lattice, each with a metric of its own, so that cells come out
/// elongated in different directions.
struct Cells {
  float first = 1e9F, second = 1e9F;  // px, about
  std::uint32_t id = 0;
};

Cells cells_at(float x, float y, float pitch, float stretch, std::uint32_t seed) noexcept {
  const auto i = static_cast<std::int32_t>(std::floor(x / pitch)), j = static_cast<std::int32_t>(std::floor(y / pitch));
  Cells out;
  for (std::int32_t b = j - 1; b <= j + 1; ++b) {
    for (std::int32_t a = i - 1; a <= i + 1; ++a) {
      const std::uint32_t h = hash(a, b, seed);
      const float dx = x - (static_cast<float>(a) + 0.05F + 0.9F * part(h, 0)) * pitch;
      const float dy = y - (static_cast<float>(b) + 0.05F + 0.9F * part(h, 1)) * pitch;
      // Along one of two diagonals, to a varying degree: cheaper than a rotation and as good to look at.
      const float skew = stretch * (part(h, 2) - 0.5F);
      const float d = dx * dx + dy * dy + 2 * skew * dx * dy + stretch * (part(h, 3) - 0.5F) * (dx * dx - dy * dy);
      if (d < out.first) out.second = out.first, out.first = d, out.id = h;
      else if (d < out.second) out.second = d;
    }
  }
  out.first = std::sqrt(out.first), out.second = std::sqrt(out.second);
  return out;
}

/// Fibres and a few cells between things.
Rgb paint_stroma(float x, float y, std::uint32_t seed) noexcept {
  const float fibre = noise(x + 0.6F * y, y - 0.4F * x, 9, seed + 11);
  const Rgb base = mix(stroma, membrane, 0.22F * step(0.55F, 0.9F, fibre));
  return mix(base, nucleus, 0.85F * nucleus_at(x, y, 14, 0.3F, seed + 12));
}

Rgb paint_tubule(float x, float y, std::uint32_t seed) noexcept {
  constexpr float pitch = 58;
  const float wx = x + 16 * (noise(x, y, 42, seed + 21) - 0.5F), wy = y + 16 * (noise(x, y, 42, seed + 22) - 0.5F);
  const Cells c = cells_at(wx, wy, pitch, 0.7F, seed + 23);
  // px to the border with the neighbour, about; corners are rounded off
  const float edge = std::min((c.second - c.first) / 2, 36 + 8 * part(c.id, 2) - c.first);
  const float gap = 1.2F + 3.5F * part(c.id, 0) * noise(x, y, 160, seed + 24);
  if (edge < gap) return paint_stroma(x, y, seed);
  const bool is_proximal = part(c.id, 1) < 0.62F;
  const float wall = is_proximal ? 15 + 5 * part(c.id, 2) : 10 + 3 * part(c.id, 2);
  const float depth = edge - gap;
  const float fringe = wall + (is_proximal ? 7 : 3) * (noise(x, y, 7, seed + 26) - 0.5F);
  if (depth > fringe + 1.2F) return lumen;
  const float grain = noise(x, y, 3.2F, seed + 25) - 0.5F;
  Rgb cytoplasm = shaded(is_proximal ? proximal : distal, 20 * grain + 14 * (part(c.id, 3) - 0.5F));
  if (is_proximal) cytoplasm = mix(cytoplasm, membrane, 0.3F * step(fringe - 3, fringe, depth));  // brush border
  Rgb colour = mix(cytoplasm, lumen, step(fringe - 0.8F, fringe + 1.2F, depth));
  if (depth > 3.5F && depth < wall - 2)
    colour = mix(colour, nucleus, 0.9F * nucleus_at(x, y, 14, is_proximal ? 0.5F : 0.68F, seed + 27));
  return mix(membrane, colour, step(0.8F, 2.8F, depth));
}

Rgb paint_tuft(float x, float y, std::uint32_t seed) noexcept {
  const float wx = x + 7 * (noise(x, y, 15, seed + 1) - 0.5F), wy = y + 7 * (noise(x, y, 15, seed + 2) - 0.5F);
  const Cells c = cells_at(wx, wy, 17, 0.6F, seed + 3);
  const float edge = (c.second - c.first) / 2;
  const bool open = part(c.id, 2) < 0.5F;  // a capillary with room in it
  Rgb inner = open ? mix(endothelium, lumen, step(2.0F, 3.6F, edge)) : mix(endothelium, mesangium, part(c.id, 3));
  inner = shaded(inner, 18 * (noise(x, y, 3, seed + 4) - 0.5F));
  const float lobule = noise(x, y, 30, seed + 5);
  const Rgb wall = mix(mesangium, membrane, 0.35F + 0.5F * lobule);
  const Rgb colour = mix(wall, inner, step(0.7F, 2.4F, edge));
  return mix(colour, nucleus, 0.92F * nucleus_at(x, y, 12, 0.5F, seed + 6));
}

Rgb paint_healthy(const Object& o, float x, float y, float depth) noexcept {
  const float from_edge = (1 - depth) * o.radius;  // px
  const float tuft = 1 - 0.14F - 0.1F * (noise(x, y, 22, o.seed + 7) - 0.5F);
  Rgb colour = mix(paint_tuft(x, y, o.seed), lumen, step(-1.0F, 1.2F, (depth - tuft) * o.radius));
  // Flat cells line the capsule.
  if (from_edge < 8) colour = mix(colour, nucleus, 0.8F * nucleus_at(x, y, 13, 0.3F, o.seed + 8));
  return mix(membrane, colour, step(1.6F, 3.6F, from_edge));
}

Rgb paint_sclerotic(const Object& o, float x, float y, float depth) noexcept {
  const float from_edge = (1 - depth) * o.radius;
  const float folds = std::abs(noise(x, y, 24, o.seed + 1) - 0.5F);
  Rgb colour = shaded(scar, 16 * (noise(x, y, 40, o.seed + 2) - 0.5F) + 8 * (noise(x, y, 4, o.seed + 3) - 0.5F));
  colour = mix(mix(colour, membrane, 0.45F), colour, step(0.0F, 0.07F, folds));
  colour = mix(colour, nucleus, 0.8F * nucleus_at(x, y, 17, 0.14F, o.seed + 4));
  return mix(mix(scar, membrane, 0.6F), colour, step(1.0F, 4.5F, from_edge));
}

Rgb paint_vessel(const Object& o, float x, float y, float depth) noexcept {
  const float rim = 0.5F + 0.12F * (noise(x, y, 14, o.seed + 1) - 0.5F);
  const float layers = std::sin(depth * o.radius * 0.9F + 5 * noise(x, y, 20, o.seed + 2));
  Rgb wall = shaded(mix(muscle, membrane, 0.12F + 0.1F * layers), 10 * (noise(x, y, 3, o.seed + 3) - 0.5F));
  wall = mix(wall, nucleus, 0.85F * nucleus_at(x, y, 14, 0.35F, o.seed + 4));
  const float edge = (depth - rim) * o.radius;
  const Rgb lined = mix(mix(wall, membrane, 0.55F), wall, step(0.5F, 3.0F, edge));
  return mix(lumen, lined, step(-0.8F, 0.8F, edge));
}

Rgb paint_tissue(const Scene& scene, float x, float y) noexcept {
  for (const std::uint32_t i : scene.near(x, y)) {
    const Object& o = scene.objects()[i];
    const float depth = o.depth(x, y);
    if (depth >= 1.08F) continue;
    if (depth >= 1) return paint_stroma(x, y, scene.seed());
    if (o.sort == Sort::healthy) return paint_healthy(o, x, y, depth);
    return o.sort == Sort::sclerotic ? paint_sclerotic(o, x, y, depth) : paint_vessel(o, x, y, depth);
  }
  return paint_tubule(x, y, scene.seed());
}

}  // namespace

Stain::Stain(nephron::Rng rng, double variation) {
  const double strength = std::exp(rng.uniform(-0.35, 0.35) * variation);
  for (auto& table : tables_) {
    const double density = strength * std::exp(rng.uniform(-0.16, 0.16) * variation);
    for (std::size_t i = 0; i < table.size(); ++i)
      table[i] = static_cast<std::uint8_t>(std::lround(255 * std::pow(static_cast<double>(i) / 255, density)));
  }
}

void paint(const Scene& scene, const Stain& stain, const nephron::Region& region, const nephron::ImageView& out) {
  for (std::int64_t row = 0; row < region.height; ++row) {
    auto* p = out.row<std::uint8_t>(row);
    const auto y = static_cast<float>(region.y + row);
    for (std::int64_t column = 0; column < region.width; ++column, p += 3) {
      const auto x = static_cast<float>(region.x + column);
      const float tissue = scene.tissue(x, y);
      Rgb colour = tissue <= 0 ? glass : paint_tissue(scene, x, y);
      if (tissue > 0 && tissue < 0.008F) colour = mix(glass, colour, tissue / 0.008F);
      const std::uint32_t h = hash(static_cast<std::int32_t>(region.x + column),
                                   static_cast<std::int32_t>(region.y + row), scene.seed() + 31);
      const float grain = 5 * (part(h, 0) + part(h, 1) - 1);  // of the camera
      p[0] = stain(0, colour.r + grain + 2 * (part(h, 2) - 0.5F));
      p[1] = stain(1, colour.g + grain);
      p[2] = stain(2, colour.b + grain + 2 * (part(h, 3) - 0.5F));
    }
  }
}

}  // namespace synthetic
