#include "layout.hpp"

#include <algorithm>
#include <cmath>

#include <nephron/error.hpp>

#include "pages.hpp"

namespace tiff_reader {

using nephron::Error;

namespace {

constexpr std::int64_t most_side = std::int64_t{1} << 24;
constexpr std::int64_t most_chunk_bytes = std::int64_t{1} << 28;
/// Larger strips are decoded by rows, in parts of this many bytes.
constexpr std::int64_t part_bytes = std::int64_t{1} << 22;
/// No codec packs real pixels tighter: a header that claims more is wrong.
constexpr std::int64_t most_ratio = std::int64_t{1} << 16;

std::string text_of(Size s) { return std::to_string(s.width) + " x " + std::to_string(s.height); }

/// Makes planes of directories, and refuses what cannot be read while it is cheap to say so.
class PlaneMaker {
 public:
  PlaneMaker(Handle& handle, const std::filesystem::path& file, bool scale_16_bit)
      : handle_(handle), file_(file), scale_16_bit_(scale_16_bit), file_bytes_(std::filesystem::file_size(file)) {}

  void require_readable(const Directory& d) const {
    require_pixels(d);
    require_codec(d);
    require_sizes(d);
  }

  /// The planes of a directory; `channel`: where it is one channel of three.
  void add(Level& level, const Directory& d, int channel = -1) {
    require_readable(d);
    const std::size_t first = level.planes.size();
    if (!d.separate || d.samples < 3) {
      level.planes.push_back(plane(d, 0, channel));
    } else {
      for (int s = 0; s < 3; ++s) level.planes.push_back(plane(d, s, s));
    }
    handle_.select(d.place);
    const bool swapped = TIFFIsByteSwapped(handle_.get()) != 0;
    for (std::size_t i = first; i < level.planes.size(); ++i) {
      level.planes[i].swap = swapped;
      read_places(level.planes[i]);
    }
  }

  /// Channel `channel` of those that follow each other behind the place of the first.
  void add_following(Level& level, const Directory& d, int channel) {
    require_readable(d);
    Plane p = plane(d, 0, channel);
    handle_.select(d.place);
    require_count(d);
    p.swap = TIFFIsByteSwapped(handle_.get()) != 0;
    p.coding = Coding::raw;
    p.chunk = d.size;
    const auto bytes = static_cast<std::uint64_t>(d.size.area() * d.sample_bytes());
    p.places = {TIFFGetStrileOffset(handle_.get(), 0) + bytes * static_cast<std::uint64_t>(channel)};
    p.bytes = {bytes};
    require_inside(p, 0);
    level.planes.push_back(std::move(p));
  }

 private:
  std::string where(const Directory& d) const { return file_.string() + ": page " + std::to_string(d.page); }

  void require_pixels(const Directory& d) const {
    if (!d.unsigned_integers || (d.bits != 8 && d.bits != 16))
      throw Error(where(d) + " has " + std::to_string(d.bits) + "-bit " +
                      (d.unsigned_integers ? "" : "signed or floating-point ") +
                      "samples; expected 8 or 16 bits, unsigned",
                  "convert it to 8 bits");
    if (d.bits == 16 && !scale_16_bit_)
      throw Error(where(d) + " has 16-bit samples, which become 8 bits only on request",
                  "ask for it: reader = \"tiff_16bit\" maps 0..65535 (or the file's own MaxSampleValue) to 0..255");
    const bool grey = d.photometric <= 1 && d.samples <= 2;
    const bool stack = d.photometric <= 1 && d.samples >= 3 && d.samples <= 4;  // RGB whose writer did not say so
    const bool rgb = d.photometric == PHOTOMETRIC_RGB && d.samples >= 3 && d.samples <= 4;
    const bool ycc = d.photometric == PHOTOMETRIC_YCBCR && d.samples == 3 &&
                     (d.compression == COMPRESSION_JPEG || d.compression == 33003 || d.compression == 33005 ||
                      d.compression == COMPRESSION_JP2000);
    if (!grey && !stack && !rgb && !ycc)
      throw Error(where(d) + " has " + std::to_string(d.samples) + " samples a pixel of photometric interpretation " +
                      std::to_string(d.photometric) + "; expected grey, RGB, RGBA, or YCbCr in JPEG",
                  "convert it to RGB");
    if (d.orientation != 1)
      throw Error(where(d) + " is stored turned or mirrored (Orientation " + std::to_string(d.orientation) +
                      "); expected its first row on top",
                  "turn the pixels themselves");
  }

  void require_codec(const Directory& d) const {
    switch (d.compression) {
      case 33003:
      case 33005:
      case COMPRESSION_JP2000:
#ifdef NEPHRON_JPEG2000
        if (d.tiled && !d.separate && d.bits == 8 && d.samples == 3) return;
        throw Error(where(d) + " holds JPEG 2000 of a form that is not known; expected tiles of 8-bit RGB");
#else
        throw Error(where(d) + " holds JPEG 2000, which this reader was built without",
                    "install libopenjp2-7-dev and build again, or use the reader \"openslide\"");
#endif
      case COMPRESSION_NONE:
      case COMPRESSION_LZW:
      case COMPRESSION_DEFLATE:
      case COMPRESSION_ADOBE_DEFLATE:
      case COMPRESSION_PACKBITS:
      case COMPRESSION_LZMA:
      case COMPRESSION_ZSTD:
      case COMPRESSION_WEBP:
      case COMPRESSION_JPEG:
        if (TIFFIsCODECConfigured(d.compression) == 1) return;
        [[fallthrough]];
      default:
        throw Error(where(d) + " is compressed with " + name_of_compression(d.compression) +
                    ", which libtiff cannot decode here; expected none, LZW, Deflate, ZSTD, PackBits, LZMA, WebP, JPEG "
                    "or JPEG 2000");
    }
  }

  void require_sizes(const Directory& d) const {
    const auto refuse = [&](const std::string& what) {
      throw Error(where(d) + " claims " + text_of(d.size) + " pixels in " + (d.tiled ? "tiles" : "strips") + " of " +
                      text_of(d.chunk) + ": " + what,
                  "the header is damaged, or the file is cut short");
    };
    if (std::max(d.size.width, d.size.height) > most_side) refuse("a side may have 16777216");
    const std::int64_t pixel = d.chunk_samples() * d.sample_bytes();
    if (d.chunk.width > most_side || d.chunk.width * pixel > most_chunk_bytes) refuse("a row of one is too long");
    if (d.tiled && d.chunk.height > most_chunk_bytes / (d.chunk.width * pixel)) refuse("a tile is too large");
    const std::int64_t chunks = d.across() * d.down() * (d.separate ? d.samples : 1);
    // Their places alone take two bytes each.
    const auto file_bytes = static_cast<std::int64_t>(file_bytes_);
    if (chunks > file_bytes / 2 + 1)
      refuse("their " + std::to_string(chunks) + " places do not fit into a file of " + std::to_string(file_bytes) +
             " bytes");
    if (d.compression != COMPRESSION_NONE && d.size.area() / most_ratio * d.samples * d.sample_bytes() > file_bytes)
      refuse("they cannot come out of " + std::to_string(file_bytes) + " bytes");
  }

  Plane plane(const Directory& d, int sample, int channel) const {
    Plane p;
    p.directory = d;
    p.sample = sample;
    p.channel = channel;
    p.chunk = d.chunk;
    if (d.compression == 33003) p.coding = Coding::jpeg2000_ycc;
    else if (d.compression == 33005 || d.compression == COMPRESSION_JP2000) p.coding = Coding::jpeg2000;
    else if (d.compression == COMPRESSION_NONE && !d.reversed_bits) p.coding = Coding::raw;
    else if (!d.tiled && p.row_bytes() * d.chunk.height > part_bytes) {
      p.coding = Coding::rows;
      p.chunk.height = std::max<std::int64_t>(1, part_bytes / p.row_bytes());
    }
    return p;
  }

  /// libtiff counts tiles and strips in 32 bits and for a depth that we do not know. Beyond its own count it does not
  /// answer: it ends the program (an assertion in _TIFFFetchStrileValue).
  void require_count(const Directory& d) const {
    const std::int64_t count = d.across() * d.down() * (d.separate ? d.samples : 1);
    const std::uint32_t counted = d.tiled ? TIFFNumberOfTiles(handle_.get()) : TIFFNumberOfStrips(handle_.get());
    if (count != counted)
      throw Error(where(d) + " has " + text_of(d.size) + " pixels in " + std::to_string(count) +
                      (d.tiled ? " tiles" : " strips") + ", but libtiff counts " + std::to_string(counted),
                  "the header is damaged, or the pixels have a depth; expected a flat picture");
  }

  /// Looks at every place: a file that is cut short is told of when it is opened, not hours later.
  void read_places(Plane& p) const {
    const Directory& d = p.directory;
    require_count(d);
    const std::int64_t count = d.across() * d.down();
    p.places.reserve(static_cast<std::size_t>(count));
    p.bytes.reserve(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i) {
      const auto index = static_cast<std::uint32_t>(i + count * (d.separate ? p.sample : 0));
      int failed = 0;
      p.places.push_back(TIFFGetStrileOffsetWithErr(handle_.get(), index, &failed));
      if (failed == 0) p.bytes.push_back(TIFFGetStrileByteCountWithErr(handle_.get(), index, &failed));
      if (failed != 0)
        throw Error(where(d) + " does not tell where its " + name(d, i) + " lies: " + handle_.trouble(),
                    "the header is damaged, or the file is cut short");
      require_inside(p, i);
    }
  }

  static std::string name(const Directory& d, std::int64_t i) {
    return (d.tiled ? "tile " : "strip ") + std::to_string(i);
  }

  void require_inside(Plane& p, std::int64_t i) const {
    const auto k = static_cast<std::size_t>(i);
    const std::uint64_t place = p.places[k];
    // libtiff guesses the bytes of strips that do not state them.
    if (p.coding == Coding::raw && !p.directory.tiled && p.bytes[k] != 0 && place < file_bytes_) {
      const std::int64_t rows = std::min(p.chunk.height, p.directory.size.height - i * p.chunk.height);
      p.bytes[k] = static_cast<std::uint64_t>(rows * p.row_bytes());
    }
    if (p.bytes[k] != 0 && (place > file_bytes_ || p.bytes[k] > file_bytes_ - place))
      throw Error(where(p.directory) + ": " + name(p.directory, i) + " should be the " + std::to_string(p.bytes[k]) +
                      " bytes at " + std::to_string(place) + ", but the file has " + std::to_string(file_bytes_) +
                      " bytes",
                  "the file is cut short: copy it again");
    if (p.coding == Coding::raw && p.bytes[k] != 0 && p.directory.tiled &&
        p.bytes[k] < static_cast<std::uint64_t>(p.chunk.height * p.row_bytes()))
      throw Error(where(p.directory) + ": " + name(p.directory, i) + " has " + std::to_string(p.bytes[k]) +
                  " bytes; expected " + std::to_string(p.chunk.height * p.row_bytes()));
  }

  Handle& handle_;
  const std::filesystem::path& file_;
  bool scale_16_bit_;
  std::uint64_t file_bytes_;
};

/// Whether a smaller picture is the large one at another resolution: both sides are divided alike, but for rounding.
bool same_picture(Size large, Size small) {
  if (small.width >= large.width || small.height >= large.height || small.empty()) return false;
  const double x = static_cast<double>(large.width) / static_cast<double>(small.width);
  const double y = static_cast<double>(large.height) / static_cast<double>(small.height);
  // A side that was rounded by a pixel at every halving: two pixels at the level itself.
  return std::abs(static_cast<double>(large.width) / y - static_cast<double>(small.width)) <= 2 &&
         std::abs(static_cast<double>(large.height) / x - static_cast<double>(small.height)) <= 2;
}

bool is_level_of(const Directory& d, const Directory& first) {
  return same_picture(first.size, d.size) && d.samples == first.samples && d.bits == first.bits &&
         (d.tiled == first.tiled && (d.tiled || d.reduced));
}

/// The directories of smaller versions, largest first: of each channel's own, or pages.
std::vector<std::vector<Directory>> smaller_versions(const Picture& picture, const std::vector<Directory>& pages,
                                                     Handle& handle, const std::filesystem::path& file) {
  std::vector<std::vector<Directory>> out;
  const Directory& first = picture.channels.front();
  if (picture.follow_each_other) return out;
  for (std::size_t i = 0; i < std::min<std::size_t>(first.smaller.size(), 32); ++i) {
    std::vector<Directory> level;
    for (const Directory& channel : picture.channels) {
      if (i >= channel.smaller.size()) break;
      handle.select(channel.smaller[i]);
      level.push_back(read_directory(handle, channel.page, file));
      if (!same_picture(first.size, level.back().size) || level.back().samples != first.samples) level.pop_back();
    }
    if (level.size() == picture.channels.size()) out.push_back(std::move(level));
  }
  if (!first.smaller.empty() || picture.channels.size() > 1) return out;
  for (const Directory& d : pages)
    if (d.place != first.place && is_level_of(d, first)) out.push_back({d});
  return out;
}

}  // namespace

Layout read_layout(Handle& handle, const std::filesystem::path& file, bool scale_16_bit) {
  const std::vector<Directory> pages = read_pages(handle, file);
  const Picture picture = find_picture(pages, file);
  const Directory& first = picture.channels.front();
  PlaneMaker maker(handle, file, scale_16_bit);
  for (const Directory& channel : picture.channels) maker.require_readable(channel);

  Layout out;
  const auto add_level = [&](const std::vector<Directory>& channels) {
    Level level;
    level.size = channels.front().size;
    for (std::size_t c = 0; c < channels.size(); ++c) {
      const int channel = channels.size() == 3 ? static_cast<int>(c) : -1;
      if (channels[c].size != level.size)
        throw Error(file.string() + ": page " + std::to_string(channels[c].page) + " has " + text_of(channels[c].size) +
                    " pixels; expected " + text_of(level.size) + " as its other channels");
      if (picture.follow_each_other) maker.add_following(level, channels[c], channel);
      else maker.add(level, channels[c], channel);
    }
    out.levels.push_back(std::move(level));
  };
  add_level(picture.channels);
  std::vector<std::vector<Directory>> smaller = smaller_versions(picture, pages, handle, file);
  std::stable_sort(smaller.begin(), smaller.end(),
                   [](const auto& a, const auto& b) { return a.front().size.width > b.front().size.width; });
  for (const auto& channels : smaller)
    if (channels.front().size.width < out.levels.back().size.width) add_level(channels);

  nephron::SlideHeader& h = out.header;
  for (const Level& level : out.levels) {
    const double x = static_cast<double>(first.size.width) / static_cast<double>(level.size.width);
    const double y = static_cast<double>(first.size.height) / static_cast<double>(level.size.height);
    h.levels.push_back({level.size, (x + y) / 2});
  }
  h.mpp = picture.mpp;
  h.channels = picture.channels.size() == 3 ? 3 : first.samples == 2 ? 1 : first.samples;
  h.depth = first.bits == 16 ? nephron::Depth::u16 : nephron::Depth::u8;
  h.tile = first.chunk;
  h.format = (picture.writer.empty() ? "" : picture.writer + ", ") +
             (TIFFIsBigTIFF(handle.get()) ? "BigTIFF" : "TIFF") + ", " + (first.tiled ? "tiles" : "strips") +
             (first.separate || picture.channels.size() > 1 ? ", planes" : "") + ", " +
             name_of_compression(first.compression);
  return out;
}

}  // namespace tiff_reader
