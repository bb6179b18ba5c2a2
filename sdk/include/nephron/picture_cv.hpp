#pragma once

#include <filesystem>

#include <opencv2/core/mat.hpp>

#include <nephron/geometry.hpp>

namespace image_folder {

/// By its name.
bool is_jpeg(const std::filesystem::path& file);

/// Size of an image file by its header. Throws nephron::Error that names the file.
nephron::Size size_of(const std::filesystem::path& file);

/// What is decoded: u8 RGB whatever the file holds, or the values as they are (8 or 16 bits; colours as RGB).
enum class As { rgb, stored };

/// Decodes a PNG, JPEG or TIFF. Refuses more than `most_pixels`, and sizes that a file of this length cannot hold,
/// before memory is taken for them, and a mask (As::stored) that is in the alpha channel alone. Turns nothing by EXIF.
/// Throws nephron::Error that names the file.
cv::Mat decode(const std::filesystem::path& file, As as, std::int64_t most_pixels);

}  // namespace image_folder
