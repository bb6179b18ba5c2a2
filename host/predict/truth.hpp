#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nephron/image.hpp>

#include <host/predict/scores.hpp>

namespace nephron::host {

/// The true masks of a picture, one a class (255 or 0): FOLDER/CLASS/ID.*, or FOLDER/ID.* where the experiment has one
/// class. None when there is no file for it. Throws Error when only some classes have one, and for a size that is not
/// the picture's.
std::vector<Image> read_truth(const std::filesystem::path& folder, const std::string& id,
                              const std::vector<std::string>& classes, Size size);

/// True when there is a mask of this picture for some class.
bool has_truth(const std::filesystem::path& folder, const std::string& id, const std::vector<std::string>& classes);

/// 255 where the map (f32) exceeds the threshold.
Image above(const ImageView& map, double threshold);

double dice_of(const Image& predicted, const Image& truth);

}  // namespace nephron::host
