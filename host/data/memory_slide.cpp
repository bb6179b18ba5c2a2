#include <host/data/memory_slide.hpp>

#include <algorithm>
#include <cstring>

#include <nephron/error.hpp>

#include <host/store/colours.hpp>
#include <host/store/label_copy.hpp>
#include <host/store/tissue.hpp>

namespace nephron::host {

namespace {

/// The same of labels, which may become wider; `outside`: the bits of the rest.
void read_labels(const ImageView& from, const Region& region, const ImageView& to, std::uint32_t outside) {
  const Region inside = region.clipped({0, 0, from.width, from.height});
  if (inside != region) fill_labels(to, outside);
  if (inside.empty()) return;
  widen_labels(from.crop(inside), to.crop({inside.x - region.x, inside.y - region.y, inside.width, inside.height}));
}

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

}  // namespace

void PreparedSlide::read_soft(int class_index, const Region&, const ImageView&) const {
  throw Error("slide \"" + info().id + "\" has no probability map of class " + std::to_string(class_index));
}

MemorySlide::MemorySlide(Parts parts) : parts_(std::move(parts)) {
  parts_.ignore_outside = parts_.ignore_outside && parts_.annotated;
  // An annotation that says nothing has no picture, and what lies within the slide is known all the same.
  if (parts_.ignore_outside && parts_.labels.empty()) parts_.labels = Image(parts_.image.size(), 1);
  if (!parts_.labels.empty()) index_ = LabelIndex(parts_.labels.view(), parts_.classes);
  parts_.ignores = parts_.ignores || ignored() > 0;
  for (const auto& [c, plane] : parts_.soft) soft_classes_ |= 1U << c;
  const Tissue tissue = tissue_of(parts_.image.view());
  tissue_ = TissueIndex(tissue, parts_.image.size());
  catalog_ = {parts_.info.id, parts_.group, parts_.image.size(), index_.counts(), tissue.pixels(parts_.image.size())};
  catalog_.foreground.resize(static_cast<std::size_t>(parts_.classes));
}

void MemorySlide::read(const Region& region, const ImageView& image, const ImageView& labels) const {
  if (!image.empty()) read_part(parts_.image.view(), region, image, 255);
  if (!labels.empty())
    read_labels(parts_.labels.view(), region, labels, parts_.ignore_outside ? 1U << parts_.classes : 0);
}

const SlideColours* MemorySlide::colours() const {
  std::call_once(measured_, [this] {
    const ImageView image = parts_.image.view();
    colours_ = measure_colours(image.size(), tissue_of(image),
                               [&](const Region& region, const ImageView& out) { read_part(image, region, out, 255); });
  });
  return colours_ ? &*colours_ : nullptr;
}

void MemorySlide::read_soft(int class_index, const Region& region, const ImageView& map) const {
  const auto found = parts_.soft.find(class_index);
  if (found == parts_.soft.end()) return PreparedSlide::read_soft(class_index, region, map);
  read_part(found->second.view(), region, map, 0);
}

}  // namespace nephron::host
