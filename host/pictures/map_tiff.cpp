#include <host/pictures/map_tiff.hpp>

#include <algorithm>
#include <cerrno>
#include <type_traits>
#include <vector>

#include <zlib.h>

#include <nephron/error.hpp>

#include <host/pictures/tiff_handle.hpp>
#include <host/util/write_error.hpp>

namespace nephron::host {

namespace {

constexpr std::int64_t side = 512;
constexpr int packing = 1;  // of zlib: maps are mostly constant, and higher levels gain little

std::int64_t tiles_along(std::int64_t length) { return (length + side - 1) / side; }

std::string packed(const void* bytes, std::size_t size) {
  uLongf room = ::compressBound(size);
  std::string out(room, '\0');
  if (::compress2(reinterpret_cast<Bytef*>(out.data()), &room, static_cast<const Bytef*>(bytes), size, packing) != Z_OK)
    throw Error("zlib cannot pack a tile: no memory");
  out.resize(room);
  return out;
}

template <class T>
T kept(float p) {
  if constexpr (std::is_same_v<T, std::uint8_t>) return byte_of(p);
  else return static_cast<T>(p);
}

template <class T>
T mean_of(T a, T b, T c, T d) {
  if constexpr (std::is_same_v<T, std::uint8_t>) return static_cast<T>((a + b + c + d + 2) / 4);
  else
    return static_cast<T>(
        (static_cast<float>(a) + static_cast<float>(b) + static_cast<float>(c) + static_cast<float>(d)) / 4);
}

}  // namespace

class MapTiff::Writer {
 public:
  virtual ~Writer() = default;
  virtual void write(const ImageView& rows) = 0;
  virtual void finish(const std::string& description) = 0;
};

template <class T>
class MapTiff::WriterOf final : public Writer {
 public:
  WriterOf(const PartialFile& partial, Size size, const MapTiffOptions& options)
      : options_(options),
        tiff_(partial.path(), size.area() * static_cast<std::int64_t>(sizeof(T)) < (std::int64_t{1} << 31) ? "w" : "w8",
              partial.final_path().string()) {
    for (Size level = size; !level.empty(); level = {level.width / 2, level.height / 2}) {
      levels_.emplace_back(level);
      if (level.width <= side && level.height <= side) break;
    }
    describe(size, false);
  }

  void write(const ImageView& rows) override {
    std::vector<T> row(static_cast<std::size_t>(rows.width));
    for (std::int64_t y = 0; y < rows.height; ++y) {
      std::transform(rows.row<const float>(y), rows.row<const float>(y) + rows.width, row.begin(), kept<T>);
      add(0, row.data());
    }
  }

  void finish(const std::string& description) override {
    for (std::size_t i = 0; i < levels_.size(); ++i)
      if (levels_[i].rows > 0) flush(i);
    if (!description.empty()) TIFFSetField(tiff_.get(), TIFFTAG_IMAGEDESCRIPTION, description.c_str());
    put_directory();
    for (std::size_t i = 1; i < levels_.size(); ++i) {
      describe(levels_[i].size, true);
      for (std::size_t tile = 0; tile < levels_[i].tiles.size(); ++tile)
        put(static_cast<std::uint32_t>(tile), levels_[i].tiles[tile]);
      put_directory();
    }
    if (tiff_.failed()) tiff_.fail("cannot be written");
    tiff_.close();
  }

 private:
  struct Level {
    explicit Level(Size s) : size(s), band(static_cast<std::size_t>(s.width * std::min(side, s.height))) {}
    Size size;
    std::vector<T> band;     ///< rows of the row of tiles that is under way
    std::int64_t rows = 0;   ///< of them
    std::vector<T> pending;  ///< a row that waits for the one it is averaged with
    std::vector<std::string> tiles;
  };

  void add(std::size_t i, const T* row) {
    Level& level = levels_[i];
    std::copy(row, row + level.size.width, level.band.begin() + level.rows * level.size.width);
    if (++level.rows == side) flush(i);
    if (i + 1 == levels_.size()) return;
    if (level.pending.empty()) {
      level.pending.assign(row, row + level.size.width);
      return;
    }
    const std::vector<T> above = std::exchange(level.pending, {});
    std::vector<T> half(static_cast<std::size_t>(level.size.width / 2));
    for (std::size_t x = 0; x < half.size(); ++x)
      half[x] = mean_of(above[2 * x], above[2 * x + 1], row[2 * x], row[2 * x + 1]);
    add(i + 1, half.data());
  }

  void flush(std::size_t i) {
    Level& level = levels_[i];
    const std::int64_t across = tiles_along(level.size.width);
    std::vector<T> tile(static_cast<std::size_t>(side * side));
    for (std::int64_t column = 0; column < across; ++column) {
      const std::int64_t x = column * side, width = std::min(side, level.size.width - x);
      std::fill(tile.begin(), tile.end(), T(0));
      for (std::int64_t y = 0; y < level.rows; ++y)
        std::copy_n(level.band.begin() + y * level.size.width + x, width, tile.begin() + y * side);
      std::string bytes = packed(tile.data(), tile.size() * sizeof(T));
      if (i > 0) level.tiles.push_back(std::move(bytes));
      else put(next_++, bytes);
    }
    level.rows = 0;
  }

  void put(std::uint32_t tile, std::string& bytes) {
    errno = 0;
    if (TIFFWriteRawTile(tiff_.get(), tile, bytes.data(), static_cast<tmsize_t>(bytes.size())) < 0) fail();
  }

  void put_directory() {
    errno = 0;
    if (TIFFWriteDirectory(tiff_.get()) == 0) fail();
  }

  /// libtiff says that writing failed, and not why.
  [[noreturn]] void fail() const {
    if (errno != 0) fail_to_write(tiff_.name(), errno);
    tiff_.fail("cannot be written");
  }

  void describe(Size size, bool reduced) {
    TIFF* const t = tiff_.get();
    TIFFSetField(t, TIFFTAG_SUBFILETYPE, reduced ? FILETYPE_REDUCEDIMAGE : 0);
    TIFFSetField(t, TIFFTAG_IMAGEWIDTH, static_cast<std::uint32_t>(size.width));
    TIFFSetField(t, TIFFTAG_IMAGELENGTH, static_cast<std::uint32_t>(size.height));
    TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, static_cast<int>(8 * sizeof(T)));
    TIFFSetField(t, TIFFTAG_SAMPLEFORMAT, sizeof(T) == 1 ? SAMPLEFORMAT_UINT : SAMPLEFORMAT_IEEEFP);
    TIFFSetField(t, TIFFTAG_SAMPLESPERPIXEL, 1);
    TIFFSetField(t, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
    TIFFSetField(t, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    TIFFSetField(t, TIFFTAG_COMPRESSION, COMPRESSION_ADOBE_DEFLATE);
    TIFFSetField(t, TIFFTAG_TILEWIDTH, static_cast<std::uint32_t>(side));
    TIFFSetField(t, TIFFTAG_TILELENGTH, static_cast<std::uint32_t>(side));
    if (options_.mpp <= 0) return;
    const auto per_cm = static_cast<float>(1e4 / options_.mpp * static_cast<double>(size.width) /
                                           static_cast<double>(levels_.front().size.width));
    TIFFSetField(t, TIFFTAG_RESOLUTIONUNIT, RESUNIT_CENTIMETER);
    TIFFSetField(t, TIFFTAG_XRESOLUTION, per_cm);
    TIFFSetField(t, TIFFTAG_YRESOLUTION, per_cm);
  }

  MapTiffOptions options_;
  std::vector<Level> levels_;
  TiffHandle tiff_;
  std::uint32_t next_ = 0;  ///< tile of the main picture
};

MapTiff::MapTiff(const std::filesystem::path& file, Size size, const MapTiffOptions& options) : partial_(file) {
  if (options.depth == MapDepth::bytes) writer_ = std::make_unique<WriterOf<std::uint8_t>>(partial_, size, options);
  else writer_ = std::make_unique<WriterOf<_Float16>>(partial_, size, options);
}

MapTiff::~MapTiff() = default;

void MapTiff::write(const ImageView& rows) { writer_->write(rows); }

void MapTiff::finish(const std::string& description) {
  writer_->finish(description);
  partial_.keep();
}

}  // namespace nephron::host
