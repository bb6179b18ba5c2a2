#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nephron/component.hpp>
#include <nephron/context.hpp>
#include <nephron/geometry.hpp>
#include <nephron/plugin.hpp>
#include <nephron/room.hpp>

namespace nephron {

/// A square to cut: slide by its index in the catalogue, region in pixels of the prepared (reduced) level.
struct Window {
  std::int64_t slide = 0;
  Region region;
  Room room{};
};

/// A prepared slide as samplers see it. Sizes and counts are in pixels of the prepared level.
struct CatalogSlide {
  std::string id;
  std::string group;  ///< name of its dataset or sampling group
  Size size;
  std::vector<std::int64_t> foreground;  ///< pixels a class
  std::int64_t tissue = 0;               ///< pixels that are not background
  Room room{};
};

/// A pixel of a prepared slide, at the reduced level. Closed: a pixel has two coordinates.
struct Pixel {
  std::int64_t x = 0;
  std::int64_t y = 0;
};

/// What is prepared, and fast look-ups in its labels. Const calls are thread-safe.
class NEPHRON_API Catalog {
 public:
  virtual ~Catalog();
  virtual const std::vector<CatalogSlide>& slides() const noexcept = 0;
  /// Share of samples each group should have, by the experiment; sums to 1. In the order of first appearance.
  virtual const std::vector<std::pair<std::string, double>>& shares() const noexcept = 0;
  /// True when a pixel of the region (clipped to the slide) has one of the classes in the bit set; all of them: ~0U.
  virtual bool any_label(std::int64_t slide, const Region& region, std::uint32_t classes) const = 0;
  /// Names of the classes, in the order of their bits and of CatalogSlide::foreground.
  virtual const std::vector<std::string>& classes() const noexcept = 0;
  /// One of the slide's pixels of a class, each as likely as the others; nothing when there is none. Takes the
  /// logarithm of the slide's size, and some tries where the class is thin.
  virtual std::optional<Pixel> pixel(std::int64_t slide, std::size_t class_index, Rng& rng) const = 0;
  /// Pixels of the region (clipped to the slide) that have one of the classes in the bit set. In constant time for what
  /// lies inside, as any_label(); a set that is asked for first is counted once.
  virtual std::int64_t count(std::int64_t slide, const Region& region, std::uint32_t classes) const = 0;
  /// Pixels of the region (clipped to the slide) that are tissue and not glass, in constant time. Known in blocks: of
  /// 1, 2, 4, ... px, so that the longer side of a slide has 1024 of them at most, and no larger than 256 px.
  virtual std::int64_t tissue(std::int64_t slide, const Region& region) const = 0;
  bool any_tissue(std::int64_t slide, const Region& region) const { return tissue(slide, region) > 0; }
  /// Boxes of the slide's objects of a class: of its pixels that hang together (8-connected, at the prepared level),
  /// row by row where they begin. Found when a slide is first asked for, in its labelled blocks alone; then at hand.
  virtual const std::vector<Region>& objects(std::int64_t slide, std::size_t class_index) const = 0;
  /// Side of the tile that is cut from a window's middle after augmentation: what the model sees of it.
  virtual std::int64_t tile() const noexcept = 0;
};

/// Draws windows. An Error ends the run. Stateless: every window is a function of the catalogue, its number and the
/// generator, so that any worker can draw any sample. Const calls are thread-safe.
class NEPHRON_API Sampler : public Component {
 public:
  static constexpr std::string_view kind = "sampler";
  ~Sampler() override;

  /// Number of windows of a sampler that walks a fixed list; 0 when it draws without end.
  virtual std::int64_t count(const Catalog& catalog, std::int64_t window) const;
  /// Window number `index`, a square of side `window` (pixels of the prepared level). It may leave a slide that is
  /// smaller than it; what lies outside reads as background. Throws Error when nothing can be drawn.
  virtual Window draw(const Catalog& catalog, std::int64_t window, std::int64_t index, Rng& rng) const = 0;
};

}  // namespace nephron
