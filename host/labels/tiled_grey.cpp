#include <host/labels/tiled_grey.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <mutex>

#include <tiffio.h>
#include <opencv2/core.hpp>

#include <nephron/error.hpp>
#include <nephron/quiet_libraries.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t most_side = std::int64_t{1} << 24;
constexpr std::int64_t most_tile = std::int64_t{1} << 24;
constexpr int most_pages = 64;

/// One page, as its tags describe it.
struct Page {
  std::uint64_t place = 0;  ///< of the directory in the file
  Size size, tile;
  bool halves = false;  ///< 16-bit floating point, 1 for probability 1
};

class TiledGrey final : public GreyMap {
 public:
  TiledGrey(const fs::path& file, TIFF* tiff) : name_(file.string()), tiff_(tiff, TIFFClose) {}

  /// False when the first page is not tiled.
  bool find_levels() {
    if (TIFFIsTiled(tiff_.get()) == 0) return false;
    std::vector<std::uint64_t> below;
    for (int n = 0; n < most_pages; ++n) {
      std::uint16_t count = 0;
      std::uint64_t* places = nullptr;
      if (n == 0 && TIFFGetField(tiff_.get(), TIFFTAG_SUBIFD, &count, &places) == 1)
        below.assign(places, places + std::min<int>(count, most_pages));
      take_page();
      if (TIFFReadDirectory(tiff_.get()) == 0) break;
    }
    for (const std::uint64_t place : below)
      if (TIFFSetSubDirectory(tiff_.get(), place) == 1) take_page();
    std::sort(pages_.begin(), pages_.end(), [](const Page& a, const Page& b) { return a.size.width > b.size.width; });
    for (const Page& page : pages_) sizes_.push_back(page.size);
    return true;
  }

  const std::vector<Size>& levels() const noexcept override { return sizes_; }
  std::size_t held_bytes() const noexcept override { return std::size_t{1} << 20; }

  void read(std::size_t level, const Region& region, const ImageView& out) const override {
    const std::scoped_lock lock(mutex_);
    const QuietLibraries quiet;
    const Page& page = pages_.at(level);
    if (TIFFCurrentDirOffset(tiff_.get()) != page.place && TIFFSetSubDirectory(tiff_.get(), page.place) == 0)
      fail(quiet, "its pages cannot be read any more");
    std::vector<std::uint8_t> tile(static_cast<std::size_t>(page.tile.area()));
    for (std::int64_t y = region.y / page.tile.height * page.tile.height; y < region.y + region.height;
         y += page.tile.height)
      for (std::int64_t x = region.x / page.tile.width * page.tile.width; x < region.x + region.width;
           x += page.tile.width) {
        read_tile(x, y, page, tile, quiet);
        put({x, y, page.tile.width, page.tile.height}, tile, region, out);
      }
  }

 private:
  [[noreturn]] void fail(const QuietLibraries& quiet, const std::string& what) const {
    throw Error("cannot read the map " + name_ + ": " + what + (quiet.said().empty() ? "" : " (" + quiet.said() + ")"));
  }

  void take_page() {
    TIFF* const t = tiff_.get();
    std::uint32_t width = 0, height = 0, tile_width = 0, tile_height = 0;
    std::uint16_t samples = 1, bits = 1, format = SAMPLEFORMAT_UINT;
    TIFFGetField(t, TIFFTAG_IMAGEWIDTH, &width), TIFFGetField(t, TIFFTAG_IMAGELENGTH, &height);
    TIFFGetField(t, TIFFTAG_TILEWIDTH, &tile_width), TIFFGetField(t, TIFFTAG_TILELENGTH, &tile_height);
    TIFFGetFieldDefaulted(t, TIFFTAG_SAMPLESPERPIXEL, &samples), TIFFGetFieldDefaulted(t, TIFFTAG_BITSPERSAMPLE, &bits);
    TIFFGetFieldDefaulted(t, TIFFTAG_SAMPLEFORMAT, &format);
    const bool halves = bits == 16 && format == SAMPLEFORMAT_IEEEFP;
    const Page page{TIFFCurrentDirOffset(t), {width, height}, {tile_width, tile_height}, halves};
    const bool good = TIFFIsTiled(t) != 0 && samples == 1 && (bits == 8 || halves) && !page.size.empty() &&
                      !page.tile.empty() && page.size.width <= most_side && page.size.height <= most_side &&
                      page.tile.width <= most_tile / page.tile.height &&
                      TIFFTileSize64(t) == static_cast<std::uint64_t>(page.tile.area() * (halves ? 2 : 1));
    if (pages_.empty()) {
      if (!good)
        throw Error(name_ +
                    " is no map of probabilities; expected tiles of one channel of 8 bits or of 16-bit floating point");
      pages_.push_back(page);
    } else if (good && like_the_first(page.size)) {
      pages_.push_back(page);
    }
  }

  /// Smaller, and of its proportions but for rounding.
  bool like_the_first(Size size) const {
    const Size first = pages_.front().size;
    const double by = static_cast<double>(first.width) / static_cast<double>(size.width);
    return size.width < first.width && size.height <= first.height &&
           std::abs(static_cast<double>(first.height) / by - static_cast<double>(size.height)) < 2;
  }

  void read_tile(std::int64_t x, std::int64_t y, const Page& page, std::vector<std::uint8_t>& tile,
                 const QuietLibraries& quiet) const {
    TIFF* const t = tiff_.get();
    const std::uint32_t number = TIFFComputeTile(t, static_cast<std::uint32_t>(x), static_cast<std::uint32_t>(y), 0, 0);
    if (TIFFGetStrileByteCount(t, number) == 0) {  // absent: nothing was predicted there
      std::fill(tile.begin(), tile.end(), std::uint8_t{0});
      return;
    }
    std::vector<std::uint8_t> wide(page.halves ? 2 * tile.size() : 0);
    std::vector<std::uint8_t>& stored = page.halves ? wide : tile;
    const auto bytes = static_cast<tmsize_t>(stored.size());
    if (TIFFReadEncodedTile(t, number, stored.data(), bytes) != bytes)
      fail(quiet, "the tile at (" + std::to_string(x) + ", " + std::to_string(y) + ") is damaged");
    if (!page.halves) return;
    const auto length = static_cast<int>(tile.size());
    cv::Mat values, whole(1, length, CV_8U, tile.data());
    cv::Mat(1, length, CV_16F, wide.data()).convertTo(values, CV_32F);
    values.convertTo(whole, CV_8U, 255);
  }

  static void put(const Region& place, const std::vector<std::uint8_t>& tile, const Region& region,
                  const ImageView& out) {
    const Region part = place.clipped(region);
    for (std::int64_t y = part.y; y < part.y + part.height; ++y)
      std::memcpy(out.row<std::uint8_t>(y - region.y) + (part.x - region.x),
                  tile.data() + (y - place.y) * place.width + (part.x - place.x), static_cast<std::size_t>(part.width));
  }

  std::string name_;
  mutable std::mutex mutex_;
  std::unique_ptr<TIFF, void (*)(TIFF*)> tiff_;
  std::vector<Page> pages_;
  std::vector<Size> sizes_;
};

}  // namespace

std::shared_ptr<const GreyMap> open_tiled_grey(const fs::path& file) {
  const QuietLibraries quiet;
  TIFF* const tiff = TIFFOpen(file.c_str(), "r");
  if (tiff == nullptr)
    throw Error("cannot read the map " + file.string() + (quiet.said().empty() ? "" : ": " + quiet.said()));
  const auto map = std::make_shared<TiledGrey>(file, tiff);
  return map->find_levels() ? map : nullptr;
}

}  // namespace nephron::host
