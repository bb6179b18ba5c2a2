#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <host/predict/kept.hpp>

namespace nephron::host {

/// Where a prediction is written:
///
///   probabilities/CLASS/ID.png   8-bit, 255 is 1, at the picture's own size; ID.tif: tiled, with its reductions
///   tta/FLIP/CLASS/ID.png        the same of one flip alone; ID.tif likewise
///   masks/CLASS/ID.png           255 where the probability exceeds the threshold
///   rle/CLASS/ID.txt             runs down the columns of the mask, counted from 1, as Kaggle writes them
///   geojson/ID.geojson           objects as QuPath reads them; coco/ID.json, objects/ID.csv: the same
///   levels/CLASS/ID.png          with a threshold search: how many of the searched thresholds it exceeds
///   truth/CLASS/ID.png           where masks were read by a dataset's coding: what the prediction was compared with
///   ignored/ID.png               where masks ignore pixels: those that count in no figure
///   measures/ID.json             with metrics: what was measured, to be added up
///   unmeasured/ID.rows           with metrics and a threshold search: what is measured once the threshold is found
///   pictures/ID.json             size of the picture, and the fingerprint of its pixels
///   scores.json                  Dice and failures
///   submission.csv, coco.json    runs and objects of all pictures
///   slides.csv, .jsonl, objects.csv, .jsonl    with metrics: tables of what was measured
///   predict.json                 what was predicted, and how
class OutputFolder {
 public:
  OutputFolder(std::filesystem::path folder, const std::vector<std::string>& classes);
  std::filesystem::path probability(std::size_t c, const std::string& id) const;
  std::filesystem::path probability_tiff(std::size_t c, const std::string& id) const;
  /// `ending`: ".png" or ".tif".
  std::filesystem::path of_flip(const std::string& flip, std::size_t c, const std::string& id,
                                const char* ending) const {
    return folder_ / "tta" / flip / names_[c] / (id + ending);
  }
  std::filesystem::path runs(std::size_t c, const std::string& id) const;
  std::filesystem::path mask(std::size_t c, const std::string& id) const;
  std::filesystem::path levels(std::size_t c, const std::string& id) const;
  std::filesystem::path truth(std::size_t c, const std::string& id) const;
  std::filesystem::path ignored(const std::string& id) const { return folder_ / "ignored" / (id + ".png"); }
  std::filesystem::path picture(const std::string& id) const { return folder_ / "pictures" / (id + ".json"); }
  std::filesystem::path measures(const std::string& id) const { return folder_ / "measures" / (id + ".json"); }
  std::filesystem::path unmeasured(const std::string& id) const { return folder_ / "unmeasured" / (id + ".rows"); }
  std::filesystem::path geojson(const std::string& id) const { return folder_ / "geojson" / (id + ".geojson"); }
  std::filesystem::path coco(const std::string& id) const { return folder_ / "coco" / (id + ".json"); }
  std::filesystem::path objects(const std::string& id) const { return folder_ / "objects" / (id + ".csv"); }
  /// Rows of a picture that is under way, of each of several runs.
  std::filesystem::path under_way(const std::string& id, std::size_t run = 0) const {
    // A folder a run: ids may hold dots.
    const std::filesystem::path partial = folder_ / "partial";
    return (run == 0 ? partial : partial / ("with-" + std::to_string(run))) / (id + ".rows");
  }
  std::filesystem::path coco_of_all() const { return folder_ / "coco.json"; }
  /// "slides.csv", ...: tables of what was measured.
  std::filesystem::path table(const char* name) const { return folder_ / name; }
  std::filesystem::path submission() const { return folder_ / "submission.csv"; }
  std::filesystem::path scores() const { return folder_ / "scores.json"; }
  std::filesystem::path facts() const { return folder_ / "predict.json"; }
  const std::filesystem::path& folder() const noexcept { return folder_; }

  /// The folders of files of pictures, there or not; of flips, those that are there.
  std::vector<std::filesystem::path> map_folders() const;

  /// True when every file of this picture that is kept is there.
  bool complete(const std::string& id, const Kept& kept) const;
  /// True when everything of this picture is there from which its masks are made, once the threshold is found.
  bool computed(const std::string& id, const Kept& kept) const;
  /// Removes the files of all pictures together but predict.json.
  void remove_of_all() const;
  /// Removes every file of this picture.
  void remove(const std::string& id) const;
  /// Removes the rows of one that was under way.
  void remove_rows(const std::string& id) const;
  /// Removes the rows of one that waited to be measured.
  void remove_unmeasured(const std::string& id) const;
  /// Makes the folders; throws Error when they cannot be written.
  void make(const Kept& kept, bool with_levels) const;

 private:
  using PathOf = std::filesystem::path (OutputFolder::*)(std::size_t, const std::string&) const;
  std::filesystem::path at(const char* part, std::size_t c, const std::string& id, const char* ending) const {
    return folder_ / part / names_[c] / (id + ending);
  }
  std::vector<std::string> flips_there() const;  ///< of this prediction, or of one before
  bool has_map(std::size_t c, const std::string& id) const;
  bool has_flips(std::size_t c, const std::string& id, const Kept& kept) const;
  bool all_have(const std::string& id, PathOf path) const;

  std::filesystem::path folder_;
  std::vector<std::string> names_;  ///< of the classes, as folders
};

}  // namespace nephron::host
