#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <host/labels/label_set.hpp>

namespace nephron::host {

/// How a file is to be read where it does not say so itself.
struct LabelReading {
  Size size;                         ///< of the slide; empty: as the file says, where it does
  std::vector<std::string> classes;  ///< empty: as the file says, or "label"
  std::string unclassified;          ///< class of objects that have none; empty: left out, with a note
  std::string id;                    ///< row of a CSV, image of a COCO file; empty: the only one
  std::string values = "auto";       ///< of a picture: bits, index (1 is the first class), mask (not 0), auto
  bool needs_size = true;            ///< false: objects may do without (LabelSet::size_known)
};

/// .csv: "id,encoding" as Kaggle has it, with a column "class" for more than one. .json, .geojson: COCO or GeoJSON.
/// .png, .tif, .tiff: one byte a pixel. Throws Error that names the file and the place in it, and Cancelled after
/// Ctrl-C.
LabelSet read_labels(const std::filesystem::path& file, const LabelReading& reading);

enum class LabelFormat { rle, geojson, png, tiff, coco };

struct LabelWriting {
  LabelFormat format = LabelFormat::rle;
  std::string id;  ///< of the row or image
  bool reference_compat = false;
};

/// Writes atomically. Pictures have one bit a class and are made in bands.
void write_labels(const LabelSet& labels, const std::filesystem::path& file, const LabelWriting& writing);

}  // namespace nephron::host
