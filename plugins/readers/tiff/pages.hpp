#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "directory.hpp"

namespace tiff_reader {

/// The pages that are one RGB or grey picture, and what is known of the writer.
struct Picture {
  std::vector<Directory> channels;  ///< one page with all samples, or three with one each
  /// The three channels lie one after the other behind the first page's place, without pages of their own (ImageJ
  /// above 4 GB, tifffile with truncate=True).
  bool follow_each_other = false;
  double mpp = 0;
  std::string writer;  ///< "Aperio SVS", "OME-TIFF", "ImageJ"; empty: anybody
};

/// Throws Error that names the file when the pages are not a picture that a slide can be.
Picture find_picture(const std::vector<Directory>& pages, const std::filesystem::path& file);

}  // namespace tiff_reader
