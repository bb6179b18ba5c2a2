#include <host/predict/map_file.hpp>

#include <algorithm>
#include <system_error>
#include <utility>

namespace nephron::host {

MapFile::MapFile(std::filesystem::path png, std::filesystem::path tiff, const Kept& kept, Size size, double mpp) {
  const MapDepth depth = kept.format == MapFormat::halves ? MapDepth::halves : MapDepth::bytes;
  if (kept.as_tiff(size)) {
    tiff_.emplace(tiff, size, MapTiffOptions{depth, mpp});
    other_ = std::move(png);
  } else {
    png_.emplace(png, size, Depth::u8, PngOptions{1, PngFilter::sub, {}});
    other_ = std::move(tiff);
  }
}

void MapFile::write(const ImageView& rows) {
  if (tiff_) return tiff_->write(rows);
  if (bytes_.size() != rows.size()) bytes_ = Image(rows.size(), 1);
  for (std::int64_t y = 0; y < rows.height; ++y)
    std::transform(rows.row<const float>(y), rows.row<const float>(y) + rows.width, bytes_.view().row<std::uint8_t>(y),
                   byte_of);
  png_->write(bytes_.view());
}

void MapFile::finish(const std::string& origin) {
  if (tiff_) tiff_->finish(origin);
  else png_->finish(origin);
  std::error_code none;
  std::filesystem::remove(other_, none);
}

}  // namespace nephron::host
