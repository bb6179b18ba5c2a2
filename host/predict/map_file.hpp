#pragma once

#include <filesystem>
#include <optional>

#include <nephron/image.hpp>

#include <host/pictures/map_tiff.hpp>
#include <host/pictures/png_rows.hpp>
#include <host/predict/kept.hpp>

namespace nephron::host {

/// The map of one class of one picture, written as its rows (f32) come.
class MapFile {
 public:
  /// `png` and `tiff`: what it is called as one or the other, as `kept` and the size decide.
  MapFile(std::filesystem::path png, std::filesystem::path tiff, const Kept& kept, Size size, double mpp);
  void write(const ImageView& rows);
  /// The file appears; one of the other format, of a prediction before, goes. `origin`: what it tells of how it was
  /// made (prediction_origin.hpp).
  void finish(const std::string& origin);

 private:
  std::optional<PngRows> png_;
  std::optional<MapTiff> tiff_;
  std::filesystem::path other_;
  Image bytes_;
};

}  // namespace nephron::host
