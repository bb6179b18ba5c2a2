#pragma once

#include <optional>

#include <nephron/image.hpp>

#include <host/pictures/map_tiff.hpp>
#include <host/pictures/png_rows.hpp>
#include <host/predict/kept.hpp>
#include <host/predict/output_folder.hpp>

namespace nephron::host {

/// The map of one class of one picture, written as its rows (f32) come.
class MapFile {
 public:
  MapFile(const OutputFolder& output, const Kept& kept, std::size_t class_index, const std::string& id, Size size,
          double mpp);
  void write(const ImageView& rows);
  void finish();

 private:
  std::optional<PngRows> png_;
  std::optional<MapTiff> tiff_;
  Image bytes_;
};

}  // namespace nephron::host
