#pragma once

#include <functional>
#include <mutex>

#include <host/data/label_index.hpp>
#include <host/data/prepared.hpp>
#include <host/data/tissue_index.hpp>
#include <host/store/labels_folder.hpp>
#include <host/store/mapped_tiff.hpp>

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
    Reduction reduction;
    bool ignore_outside = false;  ///< what lies beyond the slide is not annotated
  };
  /// Throws Error that names the file when the folder, or the picture that it tells of, is not what its records say.
  StoredSlide(const LabelsFolder& folder, Place place);

  /// Its files that were written to after they were made: they may not hold what the digests are of.
  const std::vector<std::filesystem::path>& touched() const noexcept { return touched_; }
  const SlideInfo& info() const noexcept override { return place_.info; }
  std::size_t dataset() const noexcept override { return place_.dataset; }
  Size size() const noexcept override { return size_; }
  bool annotated() const noexcept override { return annotated_; }
  void read(const Region& region, const ImageView& image, const ImageView& labels) const override;
  bool any_label(const Region& region, std::uint32_t classes) const override;
  std::optional<Pixel> pixel(std::size_t class_index, Rng& rng) const override;
  Reduction reduction() const noexcept override { return place_.reduction; }
  std::int64_t count(const Region& region, std::uint32_t classes) const override;
  std::int64_t tissue(const Region& region) const override;
  const std::vector<Region>& objects(std::size_t class_index) const override { return index_.objects(class_index); }
  Digests digests() const override { return digests_; }
  std::string lost_file() const override;
  const SlideColours* colours() const override;
  const CatalogSlide& catalog() const noexcept override { return catalog_; }
  const std::vector<ChannelRule>& targets() const noexcept override { return place_.targets; }
  std::uint32_t soft_classes() const noexcept override { return soft_classes_; }
  std::int64_t ignored() const noexcept override { return ignored_; }
  bool ignores() const noexcept override { return keeps_ignored_ || place_.ignore_outside; }
  void read_soft(int class_index, const Region& region, const ImageView& map) const override;

 private:
  void open_picture(const PictureFolder& folder, const LabelsRecord& labels);
  void open_labels(const std::filesystem::path& file, const LabelsRecord& record);
  LabelIndex index_of(std::size_t presence) const;

  Place place_;
  Size size_;
  Digests digests_;
  bool annotated_ = false;
  MappedTiff picture_, labels_;
  std::filesystem::path picture_file_, labels_file_;
  std::vector<std::filesystem::path> touched_;
  std::optional<LabelPictures> label_pictures_;
  LabelIndex index_;
  std::function<Tissue()> read_tissue_;
  mutable std::once_flag tissue_read_;
  mutable TissueIndex tissue_;  ///< read at the first question
  std::function<std::optional<SlideColours>()> read_colours_;
  mutable std::once_flag colours_read_;
  mutable std::optional<SlideColours> colours_;
  CatalogSlide catalog_;
  std::uint32_t soft_classes_ = 0;
  std::int64_t ignored_ = 0;
  bool keeps_ignored_ = false;  ///< the labels have a bit for it, whether or not a pixel is left at this reduction
};

}  // namespace nephron::host
