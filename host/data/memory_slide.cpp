#include <host/data/memory_slide.hpp>

#include <algorithm>
#include <cstring>

#include <nephron/error.hpp>

namespace nephron::host {

namespace {

/// Copies what lies inside `from`; the rest of `to` is filled.
void read_part(const ImageView& from, const Region& region, const ImageView& to, int fill) {
  const Region inside = region.clipped({0, 0, from.width, from.height});
  const auto pixel = to.pixel_bytes();
  if (inside != region)
    for (std::int64_t y = 0; y < to.height; ++y)
      std::memset(to.row<std::uint8_t>(y), fill, static_cast<std::size_t>(to.width) * pixel);
  for (std::int64_t y = inside.y; y < inside.y + inside.height; ++y)
    std::memcpy(to.row<std::uint8_t>(y - region.y) + static_cast<std::size_t>(inside.x - region.x) * pixel,
                from.row<const std::uint8_t>(y) + static_cast<std::size_t>(inside.x) * pixel,
                static_cast<std::size_t>(inside.width) * pixel);
}

/// Stained tissue has colour; glass, pen-free background and black padding have none.
std::int64_t count_tissue(const ImageView& image) {
  constexpr int least_chroma = 16;
  std::int64_t n = 0;
  for (std::int64_t y = 0; y < image.height; ++y) {
    const auto* p = image.row<const std::uint8_t>(y);
    for (std::int64_t x = 0; x < image.width; ++x, p += 3)
      n += std::max({p[0], p[1], p[2]}) - std::min({p[0], p[1], p[2]}) >= least_chroma;
  }
  return n;
}

}  // namespace

void PreparedSlide::read_soft(int class_index, const Region&, const ImageView&) const {
  throw Error("slide \"" + info().id + "\" has no probability map of class " + std::to_string(class_index));
}

MemorySlide::MemorySlide(Parts parts) : parts_(std::move(parts)) {
  if (!parts_.labels.empty()) index_ = LabelIndex(parts_.labels.view(), parts_.classes);
  for (const auto& [c, plane] : parts_.soft) soft_classes_ |= static_cast<std::uint8_t>(1 << c);
  catalog_ = {parts_.info.id, parts_.group, parts_.image.size(), index_.counts(), count_tissue(parts_.image.view())};
  catalog_.foreground.resize(static_cast<std::size_t>(parts_.classes));
}

void MemorySlide::read(const Region& region, const ImageView& image, const ImageView& labels) const {
  if (!image.empty()) read_part(parts_.image.view(), region, image, 255);
  if (!labels.empty()) read_part(parts_.labels.view(), region, labels, 0);
}

void MemorySlide::read_soft(int class_index, const Region& region, const ImageView& map) const {
  const auto found = parts_.soft.find(class_index);
  if (found == parts_.soft.end()) return PreparedSlide::read_soft(class_index, region, map);
  read_part(found->second.view(), region, map, 0);
}

}  // namespace nephron::host
