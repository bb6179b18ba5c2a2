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

void MaskOutputs::finish() {
  if (png_) png_->finish();
  if (runs_) write_file_atomically(runs_file_, rle_text(runs_->finish()) + "\n");
}

void write_mask_of_levels(const OutputFolder& output, const Kept& kept, std::size_t class_index, const std::string& id,
                          std::size_t threshold) {
  const std::filesystem::path file = output.levels(class_index, id);
  const auto levels = open_label_image(file);
  const Size size = levels->size();
  if (levels->coloured() || levels->depth() != Depth::u8) throw Error(file.string() + " is not of one 8-bit channel");
  constexpr std::int64_t rows_at_once = 64;
  MaskOutputs mask(output, kept, class_index, id, size);
  for (std::int64_t y = 0; y < size.height; y += rows_at_once) {
    const Image band({size.width, std::min(rows_at_once, size.height - y)}, 1);
    levels->read(band.view());
    mask.rows(mask_of(band.view(), threshold).view());
  }
  mask.finish();
}

}  // namespace nephron::host
