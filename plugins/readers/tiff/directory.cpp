#include "directory.hpp"

#include <algorithm>

#include <nephron/error.hpp>

namespace tiff_reader {

using nephron::Error;

namespace {

constexpr std::size_t most_text = 1 << 24;

std::string text_of(TIFF* tiff, std::uint32_t tag) {
  char* text = nullptr;
  if (TIFFGetField(tiff, tag, &text) == 0 || text == nullptr) return {};
  return std::string(text).substr(0, most_text);
}

void read_sizes(TIFF* tiff, Directory& d) {
  std::uint32_t width = 0, height = 0, tile_width = 0, tile_height = 0, rows = 0;
  TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
  TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
  d.size = {width, height};
  d.tiled = TIFFIsTiled(tiff) != 0;
  if (d.tiled) {
    TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &tile_width);
    TIFFGetField(tiff, TIFFTAG_TILELENGTH, &tile_height);
    d.chunk = {tile_width, tile_height};
  } else {
    TIFFGetFieldDefaulted(tiff, TIFFTAG_ROWSPERSTRIP, &rows);
    d.chunk = {width, std::min(rows, height)};
  }
}

void read_samples(TIFF* tiff, Directory& d) {
  std::uint16_t samples = 1, bits = 1, planar = 1, format = 1, fill = 1, orientation = 1, white = 0;
  TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &samples);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &bits);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &planar);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &format);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_FILLORDER, &fill);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_ORIENTATION, &orientation);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &d.compression);
  if (TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &d.photometric) == 0)
    d.photometric = samples >= 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK;
  if (TIFFGetField(tiff, TIFFTAG_MAXSAMPLEVALUE, &white) != 0) d.white = white;
  d.samples = samples;
  d.bits = bits;
  d.separate = planar == PLANARCONFIG_SEPARATE && samples > 1;
  d.unsigned_integers = format == SAMPLEFORMAT_UINT || format == SAMPLEFORMAT_VOID;
  d.reversed_bits = fill != FILLORDER_MSB2LSB;
  d.orientation = orientation;
}

}  // namespace

Directory read_directory(Handle& handle, int page, const std::filesystem::path& file) {
  TIFF* const tiff = handle.get();
  Directory d;
  d.place = handle.selected();
  d.page = page;
  read_sizes(tiff, d);
  if (d.size.empty() || d.chunk.empty())
    throw Error(file.string() + ": page " + std::to_string(page) + " does not state a size", "is the file damaged?");
  read_samples(tiff, d);
  std::uint32_t kind = 0;
  if (TIFFGetField(tiff, TIFFTAG_SUBFILETYPE, &kind) != 0) d.reduced = (kind & FILETYPE_REDUCEDIMAGE) != 0;
  d.description = text_of(tiff, TIFFTAG_IMAGEDESCRIPTION);
  d.software = text_of(tiff, TIFFTAG_SOFTWARE);
  float resolution = 0;
  if (TIFFGetField(tiff, TIFFTAG_XRESOLUTION, &resolution) != 0) d.x_resolution = resolution;
  TIFFGetFieldDefaulted(tiff, TIFFTAG_RESOLUTIONUNIT, &d.resolution_unit);
  std::uint32_t bytes = 0;
  void* packet = nullptr;
  if (TIFFGetField(tiff, TIFFTAG_XMLPACKET, &bytes, &packet) != 0 && packet != nullptr)
    d.xmp.assign(static_cast<const char*>(packet), std::min<std::size_t>(bytes, most_text));
  std::uint16_t count = 0;
  std::uint64_t* places = nullptr;
  if (TIFFGetField(tiff, TIFFTAG_SUBIFD, &count, &places) != 0 && places != nullptr)
    d.smaller.assign(places, places + count);
  return d;
}

std::vector<Directory> read_pages(Handle& handle, const std::filesystem::path& file, int most) {
  std::vector<Directory> out;
  out.push_back(read_directory(handle, 0, file));
  while (static_cast<int>(out.size()) < most) {
    // What follows the first page is looked at as far as it can be read: the slide itself is there.
    if (TIFFReadDirectory(handle.get()) == 0) {
      handle.moved_to(0);  // half of that page is libtiff's current directory now
      break;
    }
    const std::uint64_t place = TIFFCurrentDirOffset(handle.get());
    handle.moved_to(place);
    try {
      out.push_back(read_directory(handle, static_cast<int>(out.size()), file));
    } catch (const Error&) {
      break;
    }
  }
  handle.trouble();
  return out;
}

std::string name_of_compression(int compression) {
  switch (compression) {
    case COMPRESSION_NONE:
      return "uncompressed";
    case COMPRESSION_LZW:
      return "LZW";
    case COMPRESSION_ADOBE_DEFLATE:
    case COMPRESSION_DEFLATE:
      return "Deflate";
    case COMPRESSION_PACKBITS:
      return "PackBits";
    case COMPRESSION_LZMA:
      return "LZMA";
    case COMPRESSION_ZSTD:
      return "ZSTD";
    case COMPRESSION_WEBP:
      return "WebP";
    case COMPRESSION_JPEG:
      return "JPEG";
    case 33003:
    case 33005:
    case COMPRESSION_JP2000:
      return "JPEG 2000";
    default:
      return "compression " + std::to_string(compression);
  }
}

}  // namespace tiff_reader
