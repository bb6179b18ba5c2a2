#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include <nephron/image.hpp>

#include <host/util/partial_file.hpp>

namespace nephron::host {

/// How numbers from 0 to 1 are kept.
enum class MapDepth : std::uint8_t {
  bytes,   ///< 255 is 1
  halves,  ///< floating point of 16 bits
};

struct MapTiffOptions {
  MapDepth depth = MapDepth::bytes;
  double mpp = 0;  ///< microns per pixel; 0: not known
};

/// A map of numbers from 0 to 1 as a tiled TIFF (512 px, deflated) with its reductions by 2, 4, ... as further
/// pictures, as viewers of slides expect them. Written as its rows come; a row of tiles and the packed tiles of the
/// reductions are held. BigTIFF above 2 GiB of pixels. The file appears once it is finished. Throws Error that names
/// it.
class MapTiff {
 public:
  MapTiff(const std::filesystem::path& file, Size size, const MapTiffOptions& options);
  ~MapTiff();
  /// Rows (f32, one channel) that follow those that were given, all across.
  void write(const ImageView& rows);
  /// `description`: ImageDescription; empty: none.
  void finish(const std::string& description = {});

 private:
  class Writer;
  template <class T>
  class WriterOf;
  PartialFile partial_;
  std::unique_ptr<Writer> writer_;
};

/// A probability as 8 bits.
inline std::uint8_t byte_of(float p) noexcept { return static_cast<std::uint8_t>(p * 255.0F + 0.5F); }

}  // namespace nephron::host
