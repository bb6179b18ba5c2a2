#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace nephron::host {

/// Which fold holds out which slide, written down: a run keeps it, and experiments share it.
struct Splits {
  struct Slide {
    std::string id, dataset, donor;
    int fold = -1;  ///< that is validated on it; -1: none
  };
  int count = 0;   ///< of folds
  std::string by;  ///< as data.folds.by
  std::vector<Slide> slides;
};

/// Reads splits.json; throws Error that says where what is wrong: a fold that is none, a slide that is there twice, a
/// donor in two folds where donors are kept together.
Splits read_splits(const std::filesystem::path& file);
void write_splits(const std::filesystem::path& file, const Splits& splits);

}  // namespace nephron::host
