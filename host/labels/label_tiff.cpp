// Label TIFFs with libtiff: tiled and deflated when written, any layout of one picture when read.
#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include <tiffio.h>

#include <nephron/error.hpp>
#include <nephron/label_pixels.hpp>

#include <host/labels/label_image_files.hpp>
#include <host/pictures/tiff_handle.hpp>

namespace nephron::host {

namespace {

constexpr std::int64_t tile = 512;

class TiffReader final : public LabelImageReader {
 public:
  explicit TiffReader(const std::filesystem::path& file) : tiff_(file, "r", file.string()) {
    std::uint32_t width = 0, height = 0;
    std::uint16_t samples = 1, bits = 1, planes = PLANARCONFIG_CONTIG;
    TIFFGetField(tiff_.get(), TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(tiff_.get(), TIFFTAG_IMAGELENGTH, &height);
    TIFFGetFieldDefaulted(tiff_.get(), TIFFTAG_SAMPLESPERPIXEL, &samples);
    TIFFGetFieldDefaulted(tiff_.get(), TIFFTAG_BITSPERSAMPLE, &bits);
    TIFFGetFieldDefaulted(tiff_.get(), TIFFTAG_PLANARCONFIG, &planes);
    size_ = {width, height};
    samples_ = samples;
    const bool wide = samples == 1 && (bits == 16 || bits == 32);
    if (size_.empty() || (bits != 8 && !wide) || samples < 1 || samples > 4 ||
        (samples > 1 && planes != PLANARCONFIG_CONTIG))
      tiff_.fail("has " + text_of(size_) + " px with " + std::to_string(samples) + " samples of " +
                 std::to_string(bits) +
                 " bits; expected labels of 8 bits, of one channel or interleaved, or one channel of 16 or 32");
    std::uint16_t format = SAMPLEFORMAT_UINT;
    TIFFGetFieldDefaulted(tiff_.get(), TIFFTAG_SAMPLEFORMAT, &format);
    if (wide && format != SAMPLEFORMAT_UINT) tiff_.fail("has pixels that are no whole numbers from 0");
    depth_ = label_depth(bits);
    pixel_ = samples_ * static_cast<std::int64_t>(bytes_of(depth_));
    require_size(static_cast<std::int64_t>(std::filesystem::file_size(file)));
    if (TIFFIsTiled(tiff_.get()) != 0) prepare_tiles();
    else if (TIFFScanlineSize64(tiff_.get()) != static_cast<std::uint64_t>(width) * static_cast<std::uint64_t>(pixel_))
      tiff_.fail("has rows of a strange size");
    band_ = Image({width, band_rows_}, samples, depth_);
  }

  Size size() const noexcept override { return size_; }
  bool coloured() const noexcept override { return samples_ > 1; }
  Depth depth() const noexcept override { return depth_; }
  std::vector<std::string> classes() const override {
    const char* text = nullptr;
    return TIFFGetField(tiff_.get(), TIFFTAG_IMAGEDESCRIPTION, &text) == 1 && text != nullptr
               ? classes_in(text)
               : std::vector<std::string>{};
  }
  void read(const ImageView& rows) override {
    for (std::int64_t y = 0; y < rows.height; ++y, ++next_) {
      if (next_ % band_rows_ == 0) load_band();
      const auto* from = band_.view().row<const std::uint8_t>(next_ % band_rows_);
      auto* to = rows.row<std::uint8_t>(y);
      if (samples_ == 1) {
        std::memcpy(to, from, static_cast<std::size_t>(size_.width * pixel_));
        continue;
      }
      const int colours = samples_ > 2 ? 3 : 1;  // a second or fourth sample is alpha
      for (std::int64_t x = 0; x < size_.width; ++x, from += samples_)
        to[x] = std::any_of(from, from + colours, [](auto v) { return v != 0; });
    }
  }

 private:
  static std::string text_of(Size s) { return std::to_string(s.width) + " x " + std::to_string(s.height); }

  /// Before anything of the claimed size is made.
  void require_size(std::int64_t file_bytes) const {
    constexpr std::int64_t most_side = std::int64_t{1} << 24;
    constexpr std::int64_t most_ratio = std::int64_t{1} << 16;  // no codec packs labels tighter
    const std::string claim = "claims " + text_of(size_) + " px";
    if (size_.width > most_side || size_.height > most_side) tiff_.fail(claim + "; a side may have 16777216");
    if (size_.area() / most_ratio * pixel_ > file_bytes)
      tiff_.fail(claim + ", which cannot come out of its " + std::to_string(file_bytes) + " bytes");
  }

  void prepare_tiles() {
    std::uint32_t width = 0, height = 0;
    TIFFGetField(tiff_.get(), TIFFTAG_TILEWIDTH, &width);
    TIFFGetField(tiff_.get(), TIFFTAG_TILELENGTH, &height);
    constexpr std::int64_t most_tile = std::int64_t{1} << 26, most_row = std::int64_t{1} << 30;
    if (width < 1 || height < 1 || width > most_tile / height / pixel_ ||
        std::max<std::int64_t>(size_.width, width) > most_row / height / pixel_)
      tiff_.fail("claims tiles of " + text_of({width, height}) +
                 " px; expected tiles of 64 MiB and rows of them of 1 GiB at most");
    tile_width_ = width;
    band_rows_ = height;
    tile_.resize(static_cast<std::size_t>(TIFFTileSize64(tiff_.get())));
    if (tile_.size() != std::size_t{width} * height * static_cast<std::size_t>(pixel_))
      tiff_.fail("has tiles of a strange size");
  }

  /// A row of tiles, or a row: strips may be as large as the picture.
  void load_band() {
    const auto y = static_cast<std::uint32_t>(next_);
    const auto refuse = [&] { tiff_.fail("cannot be read at row " + std::to_string(y)); };
    if (tile_width_ == 0) {
      if (TIFFReadScanline(tiff_.get(), band_.view().row<std::uint8_t>(0), y, 0) < 0) refuse();
      return;
    }
    const auto rows = std::min<std::int64_t>(band_rows_, size_.height - next_);
    for (std::int64_t x = 0; x < size_.width; x += tile_width_) {
      if (TIFFReadTile(tiff_.get(), tile_.data(), static_cast<std::uint32_t>(x), y, 0, 0) < 0) refuse();
      const auto columns = std::min<std::int64_t>(tile_width_, size_.width - x);
      for (std::int64_t row = 0; row < rows; ++row)
        std::memcpy(band_.view().row<std::uint8_t>(row) + x * pixel_, tile_.data() + row * tile_width_ * pixel_,
                    static_cast<std::size_t>(columns * pixel_));
    }
  }

  TiffHandle tiff_;
  Size size_;
  int samples_ = 1;
  Depth depth_ = Depth::u8;
  std::int64_t pixel_ = 1;                       // bytes
  std::int64_t tile_width_ = 0, band_rows_ = 1;  // 0: strips
  Image band_;
  std::vector<std::uint8_t> tile_;
  std::int64_t next_ = 0;
};

class TiffWriter final : public LabelImageWriter {
 public:
  TiffWriter(const std::filesystem::path& file, Size size, const std::vector<std::string>& classes)
      : partial_(file),
        size_(size),
        pixel_(static_cast<std::int64_t>(bytes_of(label_depth(static_cast<int>(classes.size()))))),
        tiff_(partial_.path(), size.area() * pixel_ < (std::int64_t{1} << 31) ? "w" : "w8", file.string()) {
    TIFFSetField(tiff_.get(), TIFFTAG_IMAGEWIDTH, static_cast<std::uint32_t>(size.width));
    TIFFSetField(tiff_.get(), TIFFTAG_IMAGELENGTH, static_cast<std::uint32_t>(size.height));
    TIFFSetField(tiff_.get(), TIFFTAG_BITSPERSAMPLE, static_cast<int>(8 * pixel_));
    TIFFSetField(tiff_.get(), TIFFTAG_SAMPLESPERPIXEL, 1);
    TIFFSetField(tiff_.get(), TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
    TIFFSetField(tiff_.get(), TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    TIFFSetField(tiff_.get(), TIFFTAG_COMPRESSION, COMPRESSION_ADOBE_DEFLATE);
    TIFFSetField(tiff_.get(), TIFFTAG_TILEWIDTH, static_cast<std::uint32_t>(tile));
    TIFFSetField(tiff_.get(), TIFFTAG_TILELENGTH, static_cast<std::uint32_t>(tile));
    TIFFSetField(tiff_.get(), TIFFTAG_IMAGEDESCRIPTION, classes_text(classes).c_str());
    if (tiff_.failed()) tiff_.fail("cannot be written");
  }

  std::int64_t rows_at_once() const noexcept override { return tile; }
  void write(const ImageView& rows) override {
    std::vector<std::uint8_t> pixels(static_cast<std::size_t>(tile * tile * pixel_));
    for (std::int64_t x = 0; x < size_.width; x += tile) {
      std::fill(pixels.begin(), pixels.end(), std::uint8_t{0});
      const auto bytes = static_cast<std::size_t>(std::min(tile, size_.width - x) * pixel_);
      for (std::int64_t y = 0; y < rows.height; ++y)
        std::memcpy(&pixels[static_cast<std::size_t>(y * tile * pixel_)], rows.row<const std::uint8_t>(y) + x * pixel_,
                    bytes);
      if (TIFFWriteTile(tiff_.get(), pixels.data(), static_cast<std::uint32_t>(x), static_cast<std::uint32_t>(next_), 0,
                        0) < 0)
        tiff_.fail("cannot be written");
    }
    next_ += rows.height;
  }
  void finish() override {
    if (TIFFFlush(tiff_.get()) == 0 || tiff_.failed()) tiff_.fail("cannot be written");
    tiff_.close();
    partial_.keep();
  }

 private:
  PartialFile partial_;
  Size size_;
  std::int64_t pixel_;  // bytes
  TiffHandle tiff_;
  std::int64_t next_ = 0;
};

}  // namespace

std::unique_ptr<LabelImageReader> open_label_tiff(const std::filesystem::path& file) {
  return std::make_unique<TiffReader>(file);
}
std::unique_ptr<LabelImageWriter> make_label_tiff(const std::filesystem::path& file, Size size,
                                                  const std::vector<std::string>& classes) {
  return std::make_unique<TiffWriter>(file, size, classes);
}

}  // namespace nephron::host
