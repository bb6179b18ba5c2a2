#pragma once

#include <map>
#include <mutex>

#include <host/data/label_index.hpp>
#include <host/data/prepared.hpp>
#include <host/data/tissue_index.hpp>

namespace nephron::host {

/// A prepared slide whose pixels are held in memory.
class MemorySlide final : public PreparedSlide {
 public:
  struct Parts {
    SlideInfo info;
    std::string group;
    std::size_t dataset = 0;
    int classes = 0;
    bool annotated = false;
    bool ignores = false;         ///< the annotation ignores pixels, even if none is left at this reduction
    bool ignore_outside = false;  ///< what lies beyond the slide is not annotated
    Reduction reduction;
    Image image;   ///< u8 RGB at the factor
    Image labels;  ///< one bit a class, and one of what is ignored; empty: none
    std::map<int, Image> soft;
    Digests digests;
    std::vector<ChannelRule> targets;
  };
  explicit MemorySlide(Parts parts);

  const SlideInfo& info() const noexcept override { return parts_.info; }
  std::size_t dataset() const noexcept override { return parts_.dataset; }
  Size size() const noexcept override { return parts_.image.size(); }
  bool annotated() const noexcept override { return parts_.annotated; }
  void read(const Region& region, const ImageView& image, const ImageView& labels) const override;
  bool any_label(const Region& region, std::uint32_t classes) const override { return index_.any(region, classes); }
  std::optional<Pixel> pixel(std::size_t class_index, Rng& rng) const override { return index_.draw(class_index, rng); }
  Reduction reduction() const noexcept override { return parts_.reduction; }
  std::int64_t count(const Region& region, std::uint32_t classes) const override {
    return index_.count(region, classes);
  }
  std::int64_t tissue(const Region& region) const override { return tissue_.pixels(region); }
  const std::vector<Region>& objects(std::size_t class_index) const override { return index_.objects(class_index); }
  Digests digests() const override { return parts_.digests; }
  const SlideColours* colours() const override;
  const CatalogSlide& catalog() const noexcept override { return catalog_; }
  const std::vector<ChannelRule>& targets() const noexcept override { return parts_.targets; }
  std::uint32_t soft_classes() const noexcept override { return soft_classes_; }
  std::int64_t ignored() const noexcept override { return index_.ignored(); }
  bool ignores() const noexcept override { return parts_.ignores || parts_.ignore_outside; }
  void read_soft(int class_index, const Region& region, const ImageView& map) const override;

 private:
  Parts parts_;
  LabelIndex index_;
  TissueIndex tissue_;
  mutable std::once_flag measured_;
  mutable std::optional<SlideColours> colours_;
  CatalogSlide catalog_;
  std::uint32_t soft_classes_ = 0;
};

}  // namespace nephron::host
