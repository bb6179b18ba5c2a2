#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <nephron/slide.hpp>

namespace pseudo_labels {

/// The folder that `nephron predict` wrote: predict.json, pictures/ID.json, probabilities/CLASS/ID.png, or
/// ID.tif of large slides.
class Prediction {
 public:
  /// Throws Error that names the file when the folder is no such folder, or does not say what its networks saw.
  explicit Prediction(std::filesystem::path folder);

  const std::filesystem::path& folder() const noexcept { return folder_; }
  const std::vector<std::string>& classes() const noexcept { return classes_; }
  /// Ids of the slides that the networks were trained on.
  const std::vector<std::string>& trained_on() const noexcept { return trained_on_; }
  /// Throws Error when there is no such class.
  std::filesystem::path map(const std::string& class_name, const std::string& id) const;
  std::filesystem::path picture(const std::string& id) const { return folder_ / "pictures" / (id + ".json"); }
  /// Throws Error when the map was not made of this slide.
  void require_same(const std::string& id, const nephron::SlideReader& slide) const;

 private:
  std::filesystem::path folder_;
  std::vector<std::string> classes_;
  std::vector<std::string> trained_on_;
};

}  // namespace pseudo_labels
