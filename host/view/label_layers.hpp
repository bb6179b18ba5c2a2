#pragma once

#include <map>
#include <set>

#include <host/predict/prediction_record.hpp>
#include <host/view/view_layer.hpp>

namespace nephron::host {

/// Annotation files by slide: GeoJSON, COCO, Kaggle's CSV or a mask.
class FileLayer final : public ViewLayer {
 public:
  FileLayer(std::string name, std::map<std::string, std::filesystem::path> files)
      : ViewLayer(std::move(name), Kind::truth), files_(std::move(files)) {}
  bool knows(const std::string& id) const override { return files_.contains(id); }
  LabelSet labels(const std::string& id, Size slide, const Stop& stop) const override;
  std::vector<std::filesystem::path> files() const override;

 private:
  std::map<std::string, std::filesystem::path> files_;
};

/// A CSV "id,encoding" or "id,predicted" of run lengths, of many slides.
class SubmissionLayer final : public ViewLayer {
 public:
  /// Reads it once, so that a damaged one is told of at once.
  SubmissionLayer(std::string name, Kind kind, std::filesystem::path file);
  bool knows(const std::string& id) const override { return ids_.contains(id); }
  LabelSet labels(const std::string& id, Size slide, const Stop& stop) const override;
  std::vector<std::filesystem::path> files() const override { return {file_}; }
  const std::set<std::string>& ids() const noexcept { return ids_; }

 private:
  std::filesystem::path file_;
  std::set<std::string> ids_;
};

/// A folder that `nephron predict` wrote: OUT/geojson/ID.geojson, else OUT/masks/CLASS/ID.*, else OUT/rle/CLASS/ID.txt;
/// maps are OUT/probabilities/CLASS/ID.*.
class PredictionLayer final : public ViewLayer {
 public:
  PredictionLayer(std::string name, std::filesystem::path folder, std::vector<std::string> classes)
      : ViewLayer(std::move(name), Kind::prediction), folder_(std::move(folder)), classes_(std::move(classes)) {}
  bool knows(const std::string& id) const override;
  LabelSet labels(const std::string& id, Size slide, const Stop& stop) const override;
  std::vector<Map> maps(const std::string& id) const override;
  std::vector<std::string> classes() const override { return classes_; }
  std::vector<std::filesystem::path> files() const override { return {folder_ / "predict.json"}; }
  /// Slides that it has anything of.
  std::set<std::string> ids() const;

 private:
  std::filesystem::path folder_;
  std::vector<std::string> classes_;
};

/// The true masks that a prediction was compared with: OUT/truth/CLASS/ID.png, else MASKS/CLASS/ID.*, or MASKS/ID.*
/// where there is one class.
class ComparedTruth final : public ViewLayer {
 public:
  ComparedTruth(std::filesystem::path folder, std::filesystem::path masks, std::vector<std::string> classes)
      : ViewLayer("truth", Kind::truth),
        folder_(std::move(folder)),
        masks_(std::move(masks)),
        classes_(std::move(classes)) {}
  bool knows(const std::string& id) const override;
  LabelSet labels(const std::string& id, Size slide, const Stop& stop) const override;
  std::vector<std::string> classes() const override { return classes_; }

 private:
  std::map<std::string, std::filesystem::path> masks_of(const std::string& id) const;
  std::filesystem::path folder_, masks_;
  std::vector<std::string> classes_;
};

/// A file FOLDER/ID.* with one of these endings; empty when there is none. Ids are names, never paths.
std::filesystem::path file_with(const std::filesystem::path& folder, const std::string& id,
                                const std::vector<std::string>& endings);

/// A mask a class, joined into one set. Throws Error when their sizes differ.
LabelSet read_masks(const std::map<std::string, std::filesystem::path>& mask_of_class, const Stop& stop);

}  // namespace nephron::host
