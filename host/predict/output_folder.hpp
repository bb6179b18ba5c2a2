#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace nephron::host {

/// Where a prediction is written:
///
///   probabilities/CLASS/ID.png   8-bit, 255 is 1, at the picture's own size
///   masks/CLASS/ID.png           255 where the probability exceeds the threshold
///   levels/CLASS/ID.png          with a threshold search: how many of the searched thresholds it exceeds
///   truth/CLASS/ID.png           where masks were read by a dataset's coding: what the prediction was compared with
///   ignored/ID.png               where masks ignore pixels: those that count in no figure
///   pictures/ID.json             size of the picture, and the fingerprint of its pixels
///   scores.json                  Dice and failures
///   predict.json                 what was predicted, and how
class OutputFolder {
 public:
  OutputFolder(std::filesystem::path folder, const std::vector<std::string>& classes);
  std::filesystem::path probability(std::size_t c, const std::string& id) const;
  std::filesystem::path mask(std::size_t c, const std::string& id) const;
  std::filesystem::path levels(std::size_t c, const std::string& id) const;
  std::filesystem::path truth(std::size_t c, const std::string& id) const;
  std::filesystem::path ignored(const std::string& id) const { return folder_ / "ignored" / (id + ".png"); }
  std::filesystem::path picture(const std::string& id) const { return folder_ / "pictures" / (id + ".json"); }
  std::filesystem::path scores() const { return folder_ / "scores.json"; }
  std::filesystem::path facts() const { return folder_ / "predict.json"; }
  const std::filesystem::path& folder() const noexcept { return folder_; }

  /// The folders of PNG files, there or not.
  std::vector<std::filesystem::path> map_folders() const;

  /// True when every file of this picture is there.
  bool complete(const std::string& id) const;
  /// True when everything of this picture is there from which its masks are made, once the threshold is found.
  bool computed(const std::string& id) const;
  /// Removes every file of this picture.
  void remove(const std::string& id) const;
  /// Makes the folders; throws Error when they cannot be written.
  void make(bool with_levels = false) const;

 private:
  using PathOf = std::filesystem::path (OutputFolder::*)(std::size_t, const std::string&) const;
  /// True when probabilities, the picture's facts and the maps that `last` names are there.
  bool there(const std::string& id, PathOf last) const;

  std::filesystem::path folder_;
  std::vector<std::string> names_;  ///< of the classes, as folders
};

}  // namespace nephron::host
