#include <host/synth/slide_tiff.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <system_error>
#include <vector>

#include <tiffio.h>

#include <nephron/error.hpp>
#include <nephron/image.hpp>

#include <host/util/interrupt.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

using Axes = TiffStyle::Axes;
using TiffFile = std::unique_ptr<TIFF, decltype(&TIFFClose)>;

constexpr std::int64_t tile = 256, strip = 64;

std::string two(std::int64_t a, const char* between, std::int64_t b) {
  return std::to_string(a) + between + std::to_string(b);
}

std::string ome_xml(Size size, double mpp) {
  const std::string microns = std::to_string(mpp > 0 ? mpp : 0.5);
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?><OME xmlns=\"http://www.openmicroscopy.org/Schemas/OME/2016-06\">"
         "<Image ID=\"Image:0\"><Pixels BigEndian=\"false\" DimensionOrder=\"XYCZT\" ID=\"Pixels:0\" "
         "Interleaved=\"false\" SizeC=\"3\" SizeT=\"1\" SizeX=\"" +
         std::to_string(size.width) + "\" SizeY=\"" + std::to_string(size.height) +
         "\" SizeZ=\"1\" Type=\"uint8\" PhysicalSizeX=\"" + microns + "\" PhysicalSizeY=\"" + microns +
         "\"><Channel ID=\"Channel:0:0\" SamplesPerPixel=\"3\"/><TiffData FirstC=\"0\" FirstT=\"0\" FirstZ=\"0\" "
         "IFD=\"0\" PlaneCount=\"1\"/></Pixels></Image></OME>";
}

std::string description(Size size, double mpp, const TiffStyle& style) {
  if (style.aperio)
    return "Aperio Image Library v11.2.1 \r\n" + two(size.width, "x", size.height) +
           " (256x256) JPEG/RGB Q=90|AppMag = 20|MPP = " + std::to_string(mpp > 0 ? mpp : 0.5);
  if (style.axes == Axes::ome) return ome_xml(size, mpp);
  if (style.axes == Axes::cyx) return "{\"shape\": [3, " + two(size.height, ", ", size.width) + "]}";
  if (style.axes == Axes::pages) return "ImageJ=1.53k\nimages=3\nchannels=3\nmode=composite\n";
  return "";
}

class Writer {
 public:
  Writer(TIFF* tiff, std::string name, const SlideReader& slide, const TiffStyle& style)
      : tiff_(tiff), name_(std::move(name)), slide_(slide), style_(style), size_(slide.size()) {}

  void write(double mpp) {
    if (style_.axes == Axes::pages) {
      for (int channel = 0; channel < 3; ++channel) {
        tags(mpp, 1);
        pixels(channel, 1);
        require(TIFFWriteDirectory(tiff_) == 1);
      }
      return;
    }
    tags(mpp, 3);
    pixels(0, 3);
    require(TIFFWriteDirectory(tiff_) == 1);
  }

 private:
  void require(bool good) const {
    if (!good) throw Error("cannot write " + name_ + "; is the disk full?");
  }

  void tags(double mpp, int samples) const {
    const bool apart = style_.axes == Axes::cyx || style_.axes == Axes::ome;
    TIFFSetField(tiff_, TIFFTAG_IMAGEWIDTH, static_cast<std::uint32_t>(size_.width));
    TIFFSetField(tiff_, TIFFTAG_IMAGELENGTH, static_cast<std::uint32_t>(size_.height));
    TIFFSetField(tiff_, TIFFTAG_BITSPERSAMPLE, 8);
    TIFFSetField(tiff_, TIFFTAG_SAMPLESPERPIXEL, samples);
    TIFFSetField(tiff_, TIFFTAG_COMPRESSION, style_.jpeg ? COMPRESSION_JPEG : COMPRESSION_ADOBE_DEFLATE);
    if (style_.jpeg) TIFFSetField(tiff_, TIFFTAG_JPEGQUALITY, 90);
    TIFFSetField(tiff_, TIFFTAG_PHOTOMETRIC, samples == 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK);
    TIFFSetField(tiff_, TIFFTAG_PLANARCONFIG, apart ? PLANARCONFIG_SEPARATE : PLANARCONFIG_CONTIG);
    if (style_.tiled) {
      TIFFSetField(tiff_, TIFFTAG_TILEWIDTH, static_cast<std::uint32_t>(tile));
      TIFFSetField(tiff_, TIFFTAG_TILELENGTH, static_cast<std::uint32_t>(tile));
    } else {
      TIFFSetField(tiff_, TIFFTAG_ROWSPERSTRIP, static_cast<std::uint32_t>(strip));
    }
    if (mpp > 0 && !style_.aperio && style_.axes != Axes::ome) {
      TIFFSetField(tiff_, TIFFTAG_RESOLUTIONUNIT, RESUNIT_CENTIMETER);
      TIFFSetField(tiff_, TIFFTAG_XRESOLUTION, 10000 / mpp);
      TIFFSetField(tiff_, TIFFTAG_YRESOLUTION, 10000 / mpp);
    }
    if (const std::string text = description(size_, mpp, style_); !text.empty())
      TIFFSetField(tiff_, TIFFTAG_IMAGEDESCRIPTION, text.c_str());
  }

  /// Channels [first, first + samples) of this page.
  void pixels(int first, int samples) {
    const std::int64_t height = style_.tiled ? tile : strip;
    for (std::int64_t y = 0; y < size_.height; y += height) {
      if (interrupted()) throw Cancelled();
      const std::int64_t rows = std::min(height, size_.height - y);
      Image band({size_.width, rows}, 3);
      slide_.read({0, y, size_.width, rows}, band.view());
      if (style_.axes == Axes::yxc) write_band(band.view(), y, 0, 3, 0);
      else
        for (int c = 0; c < samples; ++c) write_band(band.view(), y, first + c, 1, c);
    }
  }

  /// `channels` samples of the band from `channel` on, as plane `plane` of the page.
  void write_band(const ImageView& band, std::int64_t y, int channel, int channels, int plane) {
    const std::int64_t width = style_.tiled ? tile : size_.width, height = style_.tiled ? tile : band.height;
    for (std::int64_t x = 0; x < size_.width; x += width) {
      chunk_.assign(static_cast<std::size_t>(width * height * channels), 0);
      const std::int64_t columns = std::min(width, size_.width - x);
      for (std::int64_t row = 0; row < band.height; ++row) {
        const std::uint8_t* from = band.row<const std::uint8_t>(row) + x * 3 + channel;
        std::uint8_t* to = chunk_.data() + row * width * channels;
        if (channels == 3) std::copy_n(from, columns * 3, to);
        else
          for (std::int64_t i = 0; i < columns; ++i) to[i] = from[i * 3];
      }
      const auto bytes = static_cast<tmsize_t>(chunk_.size());
      const auto px = static_cast<std::uint32_t>(x), py = static_cast<std::uint32_t>(y);
      const auto sample = static_cast<std::uint16_t>(plane);
      require((style_.tiled
                   ? TIFFWriteEncodedTile(tiff_, TIFFComputeTile(tiff_, px, py, 0, sample), chunk_.data(), bytes)
                   : TIFFWriteEncodedStrip(tiff_, TIFFComputeStrip(tiff_, py, sample), chunk_.data(), bytes)) == bytes);
    }
  }

  TIFF* tiff_;
  std::string name_;
  const SlideReader& slide_;
  const TiffStyle& style_;
  Size size_;
  std::vector<std::uint8_t> chunk_;
};

}  // namespace

void write_slide_tiff(const fs::path& file, const SlideReader& slide, double mpp, const TiffStyle& style) {
  const fs::path part = file.parent_path() / ("." + file.filename().string() + ".part");
  const auto remove_part = [&] {
    std::error_code ignored;
    fs::remove(part, ignored);
  };
  try {
    TiffFile tiff(TIFFOpen(part.c_str(), style.big ? "w8" : "w"), &TIFFClose);
    if (tiff == nullptr) throw Error("cannot write " + part.string(), "is the folder there, and may it be written?");
    Writer(tiff.get(), file.string(), slide, style).write(mpp);
    tiff.reset();
    fs::rename(part, file);
  } catch (const fs::filesystem_error& e) {
    remove_part();
    throw Error("cannot write " + file.string() + ": " + e.code().message());
  } catch (...) {
    remove_part();
    throw;
  }
}

}  // namespace nephron::host
