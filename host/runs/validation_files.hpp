#pragma once

#include <filesystem>
#include <string>
#include <utility>

namespace nephron::host {

/// What `nephron validate` writes of each slide: FOLDER/measures/SLIDE.json, FOLDER/masks/CLASS/SLIDE.png and
/// FOLDER/probabilities/CLASS/SLIDE.png; DATASET/SLIDE of several datasets, whose slides may have one name.
class ValidationFiles {
 public:
  struct Slide {
    std::string dataset, id;
  };
  enum class Map { masks, probabilities };

  ValidationFiles(std::filesystem::path folder, bool several_datasets)
      : folder_(std::move(folder)), several_(several_datasets) {}

  std::filesystem::path measures(const Slide& slide) const;
  std::filesystem::path map(Map map, const std::string& class_name, const Slide& slide) const;

  // What is there, also by the name that was given once: DATASET-SLIDE, which slides of two datasets can share. Empty:
  // nothing.
  std::filesystem::path measures_there(const Slide& slide) const;
  std::filesystem::path map_there(Map map, const std::string& class_name, const Slide& slide) const;

 private:
  std::filesystem::path name(const Slide& slide) const;
  std::string former_name(const Slide& slide) const;

  std::filesystem::path folder_;
  bool several_;
};

/// What --save calls them, and their folder: "masks".
const char* name_of(ValidationFiles::Map map);

}  // namespace nephron::host
