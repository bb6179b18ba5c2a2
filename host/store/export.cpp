#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <memory>

#include <tiffio.h>

#include <nephron/error.hpp>

#include <host/pictures/png.hpp>
#include <host/store/inventory.hpp>
#include <host/store/tiff_writer.hpp>
#include <host/util/interrupt.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

/// What is written: a part of one picture of a mapped file.
struct Selection {
  MappedTiff file;
  std::size_t picture = 0;
  Region region;
  int channels = 3;
  Depth depth = Depth::u8;
  double mpp = 0;
};

void choose_region(Selection& s, const Region& wanted) {
  const Size size = s.file.pictures()[s.picture].size;
  s.region = wanted.empty() ? Region{0, 0, size.width, size.height} : wanted;
  if (s.region.clipped({0, 0, size.width, size.height}) != s.region)
    throw Error(
        "the region leaves the level of " + std::to_string(size.width) + " x " + std::to_string(size.height) + " px",
        "regions are X,Y,W,H in pixels of the level that is exported");
}

void export_png(const Selection& s, const fs::path& out) {
  constexpr std::int64_t most = std::int64_t{1} << 29;
  if (s.depth == Depth::u32)
    throw Error(out.string() + ": labels of more than 16 classes do not fit into the 16 bits of a PNG", "name a .tiff");
  if (s.region.size().area() * s.channels > most)
    throw Error(out.string() + ": a PNG of " + std::to_string(s.region.width) + " x " +
                    std::to_string(s.region.height) + " px would be built in memory",
                "name a .tiff, or give a smaller --region or a larger --factor");
  const Image image(s.region.size(), s.channels, s.depth);
  s.file.read(s.picture, s.region, image.view());
  write_png(out, image.view());
}

/// libtiff tells of errors through a function of the whole process; its text goes into ours.
thread_local std::string tiff_says;
void note_error(const char*, const char* format, va_list arguments) {
  char text[512];
  std::vsnprintf(text, sizeof text, format, arguments);
  tiff_says = text;
}

void write_tiff(const Selection& s, const fs::path& out) {
  const fs::path part = out.string() + ".part";
  TIFFSetErrorHandler(note_error);
  TIFFSetWarningHandler(nullptr);
  const auto fail = [&] {
    std::error_code ignored;
    fs::remove(part, ignored);
    throw Error("cannot write " + out.string() + (tiff_says.empty() ? "" : ": " + tiff_says));
  };
  std::unique_ptr<TIFF, void (*)(TIFF*)> tiff(
      TIFFOpen(part.c_str(), s.region.size().area() > (std::int64_t{1} << 30) ? "w8" : "w"), TIFFClose);
  if (tiff == nullptr) fail();
  TIFF* const t = tiff.get();
  TIFFSetField(t, TIFFTAG_IMAGEWIDTH, static_cast<std::uint32_t>(s.region.width));
  TIFFSetField(t, TIFFTAG_IMAGELENGTH, static_cast<std::uint32_t>(s.region.height));
  TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, static_cast<int>(8 * bytes_of(s.depth)));
  TIFFSetField(t, TIFFTAG_SAMPLESPERPIXEL, s.channels);
  TIFFSetField(t, TIFFTAG_PHOTOMETRIC, s.channels == 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK);
  TIFFSetField(t, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
  TIFFSetField(t, TIFFTAG_COMPRESSION, COMPRESSION_ADOBE_DEFLATE);
  TIFFSetField(t, TIFFTAG_PREDICTOR, s.channels == 3 ? PREDICTOR_HORIZONTAL : PREDICTOR_NONE);
  TIFFSetField(t, TIFFTAG_TILEWIDTH, static_cast<std::uint32_t>(tile_side));
  TIFFSetField(t, TIFFTAG_TILELENGTH, static_cast<std::uint32_t>(tile_side));
  if (s.mpp > 0) {
    TIFFSetField(t, TIFFTAG_RESOLUTIONUNIT, RESUNIT_CENTIMETER);
    TIFFSetField(t, TIFFTAG_XRESOLUTION, 1e4 / s.mpp);
    TIFFSetField(t, TIFFTAG_YRESOLUTION, 1e4 / s.mpp);
  }
  const Image tile({tile_side, tile_side}, s.channels, s.depth);
  const TiffTiles grid(s.region.size());
  for (std::int64_t i = 0; i < grid.count(); ++i) {
    if (interrupted()) {
      tiff.reset();
      std::error_code ignored;
      fs::remove(part, ignored);
      throw Cancelled();
    }
    const Region place = Region{i % grid.across * tile_side, i / grid.across * tile_side, tile_side, tile_side}.clipped(
        {0, 0, s.region.width, s.region.height});
    s.file.read(s.picture, {s.region.x + place.x, s.region.y + place.y, place.width, place.height},
                tile.view().crop({0, 0, place.width, place.height}));
    if (TIFFWriteEncodedTile(t, static_cast<std::uint32_t>(i), tile.view().data,
                             static_cast<tmsize_t>(tile_side) * tile.view().stride) < 0)
      fail();
  }
  if (TIFFFlush(t) != 1) fail();
  tiff.reset();
  std::error_code failed;
  fs::rename(part, out, failed);
  if (failed) fail();
}

}  // namespace

namespace {

void write(const Selection& selection, const fs::path& out) {
  const std::string extension = out.extension().string();
  if (extension == ".png") export_png(selection, out);
  else if (extension == ".tif" || extension == ".tiff") write_tiff(selection, out);
  else throw Error(out.string() + ": slides are exported as .png, .tif or .tiff");
}

}  // namespace

void export_picture(const PictureFolder& folder, const ExportWish& wish) {
  Selection s;
  {
    const StoreLock lock(folder, StoreLock::For::reading);
    const fs::path file = folder.picture(wish.reduction);
    const PictureRecord record = PictureRecord::read(folder.record_file(wish.reduction));
    s.mpp = record.mpp * wish.reduction.value();
    s.file = MappedTiff(file);
    if (s.file.pictures().size() != 1 || s.file.pictures()[0].channels != 3)
      throw Error(file.string() + " is not the picture that its record tells of", "prepare the slide again");
  }
  choose_region(s, wish.region);
  write(s, wish.out);
}

void export_labels(const LabelsFolder& folder, const ExportWish& wish) {
  Selection s;
  {
    const StoreLock lock(folder, StoreLock::For::reading);
    const fs::path file = folder.labels(wish.reduction);
    const LabelsRecord record = LabelsRecord::read(folder.record_file(wish.reduction));
    s.file = MappedTiff(file);
    s.picture = LabelPictures(s.file, file, record.size, wish.reduction).bits;
    s.channels = 1;
    s.depth = s.file.pictures()[s.picture].depth;
  }
  choose_region(s, wish.region);
  write(s, wish.out);
}

}  // namespace nephron::host
