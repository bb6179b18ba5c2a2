#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace nephron::host {

/// A slide as a fold's slides.json names it.
struct SlideEntry {
  std::string id;
  std::string dataset;
  std::string donor;             ///< empty when unknown
  std::filesystem::path source;  ///< empty when the pixels were made
  double reduction = 0;          ///< at which it was worked on; 0 when the run did not say
  std::string picture, labels;   ///< digests at this reduction; empty when the run knew none
};

/// A fold's slides.json.
struct FoldSlidesRecord {
  std::vector<SlideEntry> trained_on;
  std::vector<SlideEntry> held_out;
};

/// Throws Error that names file and place for anything but what a training wrote.
FoldSlidesRecord read_fold_slides(const std::filesystem::path& file);

}  // namespace nephron::host
