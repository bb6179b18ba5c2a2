#include <host/predict/mask_outputs.hpp>

#include <algorithm>

#include <nephron/error.hpp>

#include <host/labels/label_image.hpp>
#include <host/predict/threshold_search.hpp>
#include <host/util/files.hpp>

namespace nephron::host {

MaskOutputs::MaskOutputs(const OutputFolder& output, const Kept& kept, std::size_t class_index, const std::string& id,
                         Size size)
    : runs_file_(output.runs(class_index, id)) {
  if (kept.masks) png_.emplace(output.mask(class_index, id), size, Depth::u8, PngOptions{});
  if (kept.runs()) runs_.emplace(size);
}

void MaskOutputs::rows(const ImageView& mask) {
  if (png_) png_->write(mask);
  if (runs_) runs_->add(mask);
}

void MaskOutputs::finish(const std::string& origin) {
  if (png_) png_->finish(origin);
  if (runs_) write_file_atomically(runs_file_, rle_text(runs_->finish()) + "\n");
}

AllMaskOutputs::AllMaskOutputs(const OutputFolder& output, const Kept& kept, const std::vector<std::string>& classes,
                               const ObjectPicture& picture) {
  for (std::size_t c = 0; c < classes.size(); ++c)
    masks_.push_back(std::make_unique<MaskOutputs>(output, kept, c, picture.id, picture.size));
  if (kept.any_objects()) objects_.emplace(output, kept, classes, picture);
}

void AllMaskOutputs::rows(std::int64_t y, std::span<const ImageView> masks, std::span<const ImageView> probabilities) {
  for (std::size_t c = 0; c < masks_.size(); ++c) masks_[c]->rows(masks[c]);
  if (objects_) objects_->rows(y, masks, probabilities);
}

void AllMaskOutputs::finish(const std::string& origin) {
  for (const auto& mask : masks_) mask->finish(origin);
  if (objects_) objects_->finish(origin);
}

namespace {

/// Reads a file of our own, of one 8-bit channel, in rows.
class RowsOfBytes {
 public:
  explicit RowsOfBytes(const std::filesystem::path& file) : image_(open_label_image(file)) {
    if (image_->coloured() || image_->depth() != Depth::u8)
      throw Error(file.string() + " is not of one 8-bit channel", "Predict again with --overwrite.");
  }
  Size size() const { return image_->size(); }
  Image next(std::int64_t height) {
    Image out({size().width, height}, 1);
    image_->read(out.view());
    return out;
  }

 private:
  std::unique_ptr<LabelImageReader> image_;
};

Image unit_floats_of(const Image& bytes) {
  Image out(bytes.size(), 1, Depth::f32);
  for (std::int64_t y = 0; y < bytes.size().height; ++y) {
    const auto* const from = bytes.view().row<const std::uint8_t>(y);
    std::transform(from, from + bytes.size().width, out.view().row<float>(y),
                   [](std::uint8_t p) { return static_cast<float>(p) / 255.0F; });
  }
  return out;
}

}  // namespace

void write_masks_of_levels(const OutputFolder& output, const Kept& kept, const std::vector<std::string>& classes,
                           const ObjectPicture& picture, const std::vector<std::size_t>& thresholds,
                           const std::string& origin) {
  constexpr std::int64_t rows_at_once = 64;
  std::vector<RowsOfBytes> levels, maps;
  for (std::size_t c = 0; c < classes.size(); ++c) {
    levels.emplace_back(output.levels(c, picture.id));
    const std::filesystem::path tiff = output.probability_tiff(c, picture.id);
    if (kept.any_objects()) maps.emplace_back(std::filesystem::exists(tiff) ? tiff : output.probability(c, picture.id));
  }
  ObjectPicture sized = picture;
  sized.size = levels.front().size();
  AllMaskOutputs outputs(output, kept, classes, sized);
  for (std::int64_t y = 0; y < sized.size.height; y += rows_at_once) {
    const std::int64_t height = std::min(rows_at_once, sized.size.height - y);
    std::vector<Image> held;
    std::vector<ImageView> masks, probabilities;
    for (std::size_t c = 0; c < classes.size(); ++c)
      masks.push_back(held.emplace_back(mask_of(levels[c].next(height).view(), thresholds[c])).view());
    for (RowsOfBytes& map : maps) probabilities.push_back(held.emplace_back(unit_floats_of(map.next(height))).view());
    outputs.rows(y, masks, probabilities);
  }
  outputs.finish(origin);
}

}  // namespace nephron::host
