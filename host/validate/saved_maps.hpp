#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <nephron/image.hpp>

#include <host/pictures/png_rows.hpp>

namespace nephron::host {

/// What --save writes of a slide, as its rows come: OUT/probabilities/CLASS/SLIDE.png (255 is 1) and
/// OUT/masks/CLASS/SLIDE.png (255 where the class is predicted).
class SavedMaps {
 public:
  /// `save`: "probabilities", "masks", or neither.
  SavedMaps(std::filesystem::path out, const std::vector<std::string>& save);
  bool any() const noexcept { return probabilities_ || masks_; }

  void begin(const std::string& slide, const std::vector<std::string>& classes, Size size);
  /// The next rows of a class: f32, and u8 that is not 0 where it is predicted.
  void rows(std::size_t class_index, const ImageView& probability, const ImageView& mask);
  /// The files appear.
  void finish();

 private:
  using Files = std::vector<std::unique_ptr<PngRows>>;

  std::filesystem::path out_;
  bool probabilities_, masks_;
  Files of_probabilities_, of_masks_;  ///< a class
};

}  // namespace nephron::host
