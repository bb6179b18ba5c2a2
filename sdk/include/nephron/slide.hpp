#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nephron/export.hpp>
#include <nephron/image.hpp>
#include <nephron/room.hpp>

namespace nephron {

/// What is known of a slide without touching its pixels.
struct SlideInfo {
  std::string id;                ///< unique in its dataset
  Size size;                     ///< of level 0
  double mpp = 0;                ///< microns per pixel at level 0; 0 when unknown
  std::string donor;             ///< slides of one donor never stand on both sides of a fold; empty when unknown
  std::string group;             ///< sampling group, such as "external"; empty: the dataset's own
  std::filesystem::path source;  ///< file the pixels come from; empty when they are made
  /// Files that annotate() reads, as far as they are known without reading: prepared labels are made anew when one of
  /// them changes.
  std::vector<std::filesystem::path> annotations;
  Room room{};
};

/// An open slide. Const calls are thread-safe.
class NEPHRON_API SlideReader {
 public:
  virtual ~SlideReader();
  virtual Size size() const noexcept = 0;  ///< of level 0
  /// Fills `out` (region-sized, u8 RGB) with level-0 pixels. The region lies inside the slide.
  /// Throws Error that names slide and region.
  virtual void read(const Region& region, const ImageView& out) const = 0;
};

/// One resolution of a slide file.
struct SlideLevel {
  Size size;
  double downsample = 1;  ///< of level 0; 4 where a pixel stands for 4 x 4 of level 0
  Room room{};
};

/// What a slide file says of itself.
struct SlideHeader {
  std::vector<SlideLevel> levels;  ///< level 0 first, then ever smaller ones
  double mpp = 0;                  ///< microns per pixel at level 0; 0 when unknown
  int channels = 3;                ///< stored: 1, 3 or 4; read() gives RGB
  Depth depth = Depth::u8;         ///< stored
  Size tile;                       ///< of level 0 as stored; a strip is a tile as wide as the slide
  std::string format;              ///< "BigTIFF, tiled, JPEG", "Aperio SVS": for people
  Room room{};
};

/// An open slide file. Const calls are thread-safe.
class NEPHRON_API SlideFile : public SlideReader {
 public:
  ~SlideFile() override;
  virtual const SlideHeader& header() const noexcept = 0;
  /// As read(), of one level and in its pixels.
  virtual void read_level(int level, const Region& region, const ImageView& out) const = 0;
};

/// Opens slide files with the reader that suits each best. Thread-safe.
class NEPHRON_API SlideOpener {
 public:
  virtual ~SlideOpener();
  /// `reader`: the name of a reader component; empty: the best one. Throws Error that names file and readers tried.
  virtual std::unique_ptr<SlideFile> open(const std::filesystem::path& file, std::string_view reader = {}) = 0;
};

}  // namespace nephron
