#pragma once

// For tests of samplers: a catalogue made by hand.
#include <nephron/sampler.hpp>

namespace nephron {

struct FakeCatalog : Catalog {
  std::vector<CatalogSlide> entries;
  std::vector<std::pair<std::string, double>> group_shares;
  std::vector<Region> labels;  ///< a slide: where its label (bit 0) is
  std::vector<std::string> names{"class"};
  std::vector<std::vector<Region>> boxes;  ///< a slide: of its objects of that class
  std::vector<Region> tissues;             ///< a slide: where it is tissue
  std::int64_t tile_side = 64;

  const std::vector<CatalogSlide>& slides() const noexcept override { return entries; }
  const std::vector<std::pair<std::string, double>>& shares() const noexcept override { return group_shares; }
  bool any_label(std::int64_t slide, const Region& region, std::uint32_t classes) const override {
    return (classes & 1) != 0 && !region.clipped(labels[static_cast<std::size_t>(slide)]).empty();
  }
  const std::vector<std::string>& classes() const noexcept override { return names; }
  std::optional<Pixel> pixel(std::int64_t slide, std::size_t class_index, Rng& rng) const override {
    const Region& r = labels[static_cast<std::size_t>(slide)];
    if (class_index >= entries[static_cast<std::size_t>(slide)].foreground.size() || r.empty()) return std::nullopt;
    return Pixel{r.x + rng.integer(0, r.width - 1), r.y + rng.integer(0, r.height - 1)};
  }
  std::int64_t count(std::int64_t slide, const Region& region, std::uint32_t classes) const override {
    return (classes & 1) == 0 ? 0 : region.clipped(labels[static_cast<std::size_t>(slide)]).size().area();
  }
  std::int64_t tissue(std::int64_t slide, const Region& region) const override {
    return region.clipped(tissues[static_cast<std::size_t>(slide)]).size().area();
  }
  const std::vector<Region>& objects(std::int64_t slide, std::size_t class_index) const override {
    static const std::vector<Region> none;
    return class_index == 0 ? boxes[static_cast<std::size_t>(slide)] : none;
  }
  std::int64_t tile() const noexcept override { return tile_side; }
  void add(const std::string& group, Size size, std::int64_t foreground, Region label = {}) {
    entries.push_back({group + std::to_string(entries.size()), group, size, {foreground}, size.area()});
    labels.push_back(label);
    tissues.push_back({0, 0, size.width, size.height});
    boxes.emplace_back();
    if (!label.empty()) boxes.back().push_back(label);
  }
};

}  // namespace nephron
