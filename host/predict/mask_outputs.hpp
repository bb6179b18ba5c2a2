#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <nephron/image.hpp>

#include <host/labels/column_runs.hpp>
#include <host/pictures/png_rows.hpp>
#include <host/predict/kept.hpp>
#include <host/predict/object_outputs.hpp>
#include <host/predict/output_folder.hpp>

namespace nephron::host {

/// What is written of the mask of one class of one picture, as its rows come: the mask, its runs.
class MaskOutputs {
 public:
  MaskOutputs(const OutputFolder& output, const Kept& kept, std::size_t class_index, const std::string& id, Size size);
  /// Rows (u8, not 0: foreground) that follow those that were given.
  void rows(const ImageView& mask);
  void finish(const std::string& origin);

 private:
  std::filesystem::path runs_file_;
  std::optional<PngRows> png_;
  std::optional<ColumnRuns> runs_;
};

/// The masks of all classes of a picture, and the objects in them.
class AllMaskOutputs {
 public:
  AllMaskOutputs(const OutputFolder& output, const Kept& kept, const std::vector<std::string>& classes,
                 const ObjectPicture& picture);
  /// Rows from `y` on, a view a class.
  void rows(std::int64_t y, std::span<const ImageView> masks, std::span<const ImageView> probabilities);
  /// `origin`: what files tell of how they were made (prediction_origin.hpp).
  void finish(const std::string& origin);

 private:
  std::vector<std::unique_ptr<MaskOutputs>> masks_;
  std::optional<ObjectOutputs> objects_;
};

/// The same of a picture whose levels were written, once thresholds are found: an index of searched_thresholds a class.
void write_masks_of_levels(const OutputFolder& output, const Kept& kept, const std::vector<std::string>& classes,
                           const ObjectPicture& picture, const std::vector<std::size_t>& thresholds,
                           const std::string& origin);

}  // namespace nephron::host
