#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <nephron/geometry.hpp>

namespace tiff_reader {

/// What OME-XML says of the slide: the largest of its images, at its first depth and time.
struct OmeImage {
  nephron::Size size;
  int channels = 1;        ///< SizeC, samples included
  double mpp = 0;          ///< 0 when not stated
  std::vector<int> pages;  ///< of each channel; one page alone where a page has all samples
};

bool is_ome(const std::string& description);
/// Throws Error that names the file when the XML makes no sense.
OmeImage read_ome(const std::string& description, const std::filesystem::path& file);

}  // namespace tiff_reader
