#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <nephron/image.hpp>

#include <host/objects/object_finder.hpp>
#include <host/predict/kept.hpp>
#include <host/predict/output_folder.hpp>

namespace nephron::host {

/// What objects are told of besides their pixels.
struct ObjectPicture {
  std::string id, file_name;
  Size size;
  double mpp = 0;  ///< microns per pixel; 0: not known
};

/// Finds the objects in the masks of one picture as their rows come, and writes them: GeoJSON for QuPath, COCO, a
/// table. Each object has its confidence, its area, and, where there are several classes, the share of it that each
/// other class's objects cover.
class ObjectOutputs {
 public:
  ObjectOutputs(const OutputFolder& output, const Kept& kept, std::vector<std::string> classes, ObjectPicture picture);
  /// Rows from `y` on, a view a class: masks (u8) and probabilities (f32), which count in steps of 1/255, as maps hold
  /// them.
  void rows(std::int64_t y, std::span<const ImageView> masks, std::span<const ImageView> probabilities);
  /// `origin`: what files tell of how they were made (prediction_origin.hpp).
  void finish(const std::string& origin);

 private:
  const OutputFolder& output_;
  Kept kept_;
  std::vector<std::string> classes_;
  ObjectPicture picture_;
  std::vector<ObjectFinder> finders_;  ///< a class each
  Image rounded_;
};

}  // namespace nephron::host
