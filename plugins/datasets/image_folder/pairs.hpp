#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace image_folder {

/// Where pictures and masks lie.
struct Places {
  std::filesystem::path pictures, masks;
  std::string mask_suffix;

  /// "masks/NAME_mask.png": where the mask of a picture is looked for, for people.
  std::string mask_pattern() const;
};

/// Picture files of a folder by their names without extension. Hidden files are passed over: copies from a Mac bring
/// a "._NAME.png" for every picture. Throws nephron::Error when two files have one name.
std::map<std::string, std::filesystem::path> pictures_in(const std::filesystem::path& folder);

/// What the folders hold, paired by name.
struct Pairs {
  struct Pair {
    std::filesystem::path picture, mask;  ///< mask: empty when there is none
  };
  std::map<std::string, Pair> pairs;    ///< by the picture's name without extension
  std::vector<std::string> lone_masks;  ///< file names of masks that no picture has

  /// Throws nephron::Error when there is no folder of pictures.
  static Pairs of(const Places& places);
  std::vector<std::string> without_mask() const;
  /// The ending that all lone masks have behind the name of a picture without a mask, such as "_mask"; or "".
  std::string likely_suffix() const;
};

}  // namespace image_folder
