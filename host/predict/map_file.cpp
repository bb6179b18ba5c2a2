#include <host/predict/map_file.hpp>

#include <algorithm>

namespace nephron::host {

MapFile::MapFile(const OutputFolder& output, const Kept& kept, std::size_t class_index, const std::string& id,
                 Size size, double mpp) {
  const MapDepth depth = kept.format == MapFormat::halves ? MapDepth::halves : MapDepth::bytes;
  if (kept.as_tiff(size)) tiff_.emplace(output.probability_tiff(class_index, id), size, MapTiffOptions{depth, mpp, {}});
  else png_.emplace(output.probability(class_index, id), size, Depth::u8, PngOptions{1, PngFilter::sub, {}});
}

void MapFile::write(const ImageView& rows) {
  if (tiff_) return tiff_->write(rows);
  if (bytes_.size() != rows.size()) bytes_ = Image(rows.size(), 1);
  for (std::int64_t y = 0; y < rows.height; ++y)
    std::transform(rows.row<const float>(y), rows.row<const float>(y) + rows.width, bytes_.view().row<std::uint8_t>(y),
                   byte_of);
  png_->write(bytes_.view());
}

void MapFile::finish() {
  if (tiff_) tiff_->finish();
  else png_->finish();
}

}  // namespace nephron::host
