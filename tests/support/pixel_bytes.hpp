#pragma once

#include <filesystem>
#include <string>

#include <opencv2/imgcodecs.hpp>

namespace nephron::host {

/// The pixels of a picture: a prediction's files also tell how they were made, so that equal ones may differ.
inline std::string pixel_bytes(const std::filesystem::path& file) {
  const cv::Mat pixels = cv::imread(file.string(), cv::IMREAD_UNCHANGED);
  return {pixels.datastart, pixels.dataend};
}

}  // namespace nephron::host
