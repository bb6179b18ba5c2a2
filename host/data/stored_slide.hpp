#pragma once

#include <host/data/label_index.hpp>
#include <host/data/prepared.hpp>
#include <host/store/mapped_tiff.hpp>
#include <host/store/slide_folder.hpp>

namespace nephron::host {

/// A prepared slide of the store: mapped files, shared by all processes of the machine.
class StoredSlide final : public PreparedSlide {
 public:
  struct Place {
    SlideInfo info;
    std::size_t dataset = 0;
    std::string group;
    std::vector<std::string> classes;
    std::vector<ChannelRule> targets;
    int factor = 1;
  };
  /// Throws Error that names the file when the folder does not hold the slide as its records say.
  StoredSlide(const SlideFolder& folder, Place place);

  const SlideInfo& info() const noexcept override { return place_.info; }
  std::size_t dataset() const noexcept override { return place_.dataset; }
  Size size() const noexcept override { return size_; }
  bool annotated() const noexcept override { return annotated_; }
  void read(const Region& region, const ImageView& image, const ImageView& labels) const override;
  bool any_label(const Region& region, std::uint8_t classes) const override;
  std::optional<Pixel> pixel(std::size_t class_index, Rng& rng) const override;
  PixelDigest digest() const override { return digest_; }
  const CatalogSlide& catalog() const noexcept override { return catalog_; }
  const std::vector<ChannelRule>& targets() const noexcept override { return place_.targets; }
  std::uint8_t soft_classes() const noexcept override { return soft_classes_; }
  void read_soft(int class_index, const Region& region, const ImageView& map) const override;

 private:
  void open_labels(const SlideFolder& folder, Size full);

  Place place_;
  Size size_;
  PixelDigest digest_;
  bool annotated_ = false;
  MappedTiff picture_, labels_;
  std::size_t picture_level_ = 0;
  LabelPictures::Level label_level_;
  LabelIndex index_;
  CatalogSlide catalog_;
  std::uint8_t soft_classes_ = 0;
};

}  // namespace nephron::host
