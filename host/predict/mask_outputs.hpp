#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nephron/image.hpp>

#include <host/labels/column_runs.hpp>
#include <host/pictures/png_rows.hpp>
#include <host/predict/kept.hpp>
#include <host/predict/output_folder.hpp>

namespace nephron::host {

/// What is written of the mask of one class of one picture, as its rows come: the mask, its runs.
class MaskOutputs {
 public:
  MaskOutputs(const OutputFolder& output, const Kept& kept, std::size_t class_index, const std::string& id, Size size);
  /// Rows (u8, not 0: foreground) that follow those that were given.
  void rows(const ImageView& mask);
  void finish();

 private:
  std::filesystem::path runs_file_;
  std::optional<PngRows> png_;
  std::optional<ColumnRuns> runs_;
};

/// The same of a picture whose levels were written, once its threshold is found: an index of searched_thresholds.
void write_mask_of_levels(const OutputFolder& output, const Kept& kept, std::size_t class_index, const std::string& id,
                          std::size_t threshold);

}  // namespace nephron::host
