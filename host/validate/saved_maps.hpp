#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <nephron/image.hpp>

#include <host/pictures/png_rows.hpp>
#include <host/runs/validation_files.hpp>

namespace nephron::host {

/// What --save writes of a slide, as its rows come: probabilities (255 is 1) and masks (255 where the class is
/// predicted), each a PNG.
class SavedMaps {
 public:
  /// `save`: "probabilities", "masks", or neither.
  SavedMaps(ValidationFiles files, const std::vector<std::string>& save);
  bool any() const noexcept { return probabilities_ || masks_; }

  void begin(const ValidationFiles::Slide& slide, const std::vector<std::string>& classes, Size size);
  /// The next rows of a class: f32, and u8 that is not 0 where it is predicted.
  void rows(std::size_t class_index, const ImageView& probability, const ImageView& mask);
  /// The files appear.
  void finish();

 private:
  using Files = std::vector<std::unique_ptr<PngRows>>;

  ValidationFiles files_;
  bool probabilities_, masks_;
  Files of_probabilities_, of_masks_;  ///< a class
};

}  // namespace nephron::host
