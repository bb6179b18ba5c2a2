#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <openslide.h>

#include <nephron/reader.hpp>

namespace {

using nephron::Error;
using nephron::ImageView;
using nephron::Region;

/// Pixels of rows that are asked of OpenSlide at once: 4 MiB.
constexpr std::int64_t most_pixels = 1 << 20;

double number_of(const char* text) {
  const double out = text == nullptr ? 0 : std::strtod(text, nullptr);
  return std::isfinite(out) && out > 0 ? out : 0;
}

/// "FFFFFF": what is behind pixels that were not scanned; white when it is not stated.
std::uint32_t colour_of(const char* text) {
  char* end = nullptr;
  const auto out = text == nullptr ? 0UL : std::strtoul(text, &end, 16);
  return text == nullptr || end != text + 6 ? 0xffffffU : static_cast<std::uint32_t>(out);
}

/// One premultiplied ARGB pixel over the background.
void put(std::uint32_t argb, std::uint32_t background, std::uint8_t* rgb) {
  const std::uint32_t rest = 255 - (argb >> 24);
  for (int c = 0, shift = 16; c < 3; ++c, shift -= 8) {
    const std::uint32_t behind = rest == 0 ? 0 : ((background >> shift & 255) * rest + 127) / 255;
    rgb[c] = static_cast<std::uint8_t>(std::min<std::uint32_t>(255, (argb >> shift & 255) + behind));
  }
}

/// OpenSlide's own reads are thread-safe, and it holds a tile cache of 32 MiB a slide.
class OpenSlideFile final : public nephron::SlideFile {
 public:
  explicit OpenSlideFile(const std::filesystem::path& file)
      : file_(file), slide_(openslide_open(file.c_str()), &openslide_close) {
    if (slide_ == nullptr) throw Error(file.string() + " is no slide of a format that OpenSlide knows");
    require_no_error("open it");
    background_ = colour_of(property(OPENSLIDE_PROPERTY_NAME_BACKGROUND_COLOR));
    const int levels = openslide_get_level_count(slide_.get());
    for (int l = 0; l < levels; ++l) {
      nephron::SlideLevel level;
      openslide_get_level_dimensions(slide_.get(), l, &level.size.width, &level.size.height);
      level.downsample = openslide_get_level_downsample(slide_.get(), l);
      header_.levels.push_back(level);
    }
    require_no_error("read its levels");
    if (header_.levels.empty() || header_.levels.front().size.empty()) throw Error(file.string() + " has no pixels");
    header_.mpp = number_of(property(OPENSLIDE_PROPERTY_NAME_MPP_X));
    header_.tile = {static_cast<std::int64_t>(number_of(property("openslide.level[0].tile-width"))),
                    static_cast<std::int64_t>(number_of(property("openslide.level[0].tile-height")))};
    if (header_.tile.empty()) header_.tile = {256, 256};
    const char* vendor = property(OPENSLIDE_PROPERTY_NAME_VENDOR);
    header_.format = std::string("OpenSlide: ") + (vendor == nullptr ? "unknown vendor" : vendor);
  }

  nephron::Size size() const noexcept override { return header_.levels.front().size; }
  const nephron::SlideHeader& header() const noexcept override { return header_; }
  void read(const Region& region, const ImageView& out) const override { read_level(0, region, out); }

  void read_level(int level, const Region& region, const ImageView& out) const override {
    const nephron::SlideLevel& l = header_.levels.at(static_cast<std::size_t>(level));
    if (region.empty() || region.clipped({0, 0, l.size.width, l.size.height}) != region ||
        out.size() != region.size() || out.channels != 3 || out.depth != nephron::Depth::u8)
      throw Error(file_.string() + ": " + text_of(region) + " leaves the slide, or the view is not RGB of its size");
    // OpenSlide takes the corner in pixels of level 0, and mixes neighbours where that falls between pixels of the
    // level: a region of such a level is read in one go, so that its rows at least agree with each other.
    const bool whole_pixels = std::abs(l.downsample - std::round(l.downsample)) < 1e-9;
    const std::int64_t rows_at_once =
        whole_pixels ? std::max<std::int64_t>(1, most_pixels / region.width) : region.height;
    std::vector<std::uint32_t> argb(static_cast<std::size_t>(region.width * std::min(rows_at_once, region.height)));
    for (std::int64_t y = 0; y < region.height; y += rows_at_once) {
      const std::int64_t rows = std::min(rows_at_once, region.height - y);
      openslide_read_region(slide_.get(), argb.data(), std::llround(static_cast<double>(region.x) * l.downsample),
                            std::llround(static_cast<double>(region.y + y) * l.downsample), level, region.width, rows);
      require_no_error("read " + text_of(region) + " of level " + std::to_string(level));
      for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t x = 0; x < region.width; ++x)
          put(argb[static_cast<std::size_t>(r * region.width + x)], background_, out.row<std::uint8_t>(y + r) + 3 * x);
    }
  }

 private:
  static std::string text_of(const Region& r) {
    return "region " + std::to_string(r.x) + ", " + std::to_string(r.y) + " of " + std::to_string(r.width) + " x " +
           std::to_string(r.height) + " pixels";
  }
  const char* property(const char* name) const { return openslide_get_property_value(slide_.get(), name); }
  /// OpenSlide never recovers from an error: all later reads of the slide fail too.
  void require_no_error(const std::string& doing) const {
    if (const char* what = openslide_get_error(slide_.get()))
      throw Error(file_.string() + ": OpenSlide could not " + doing + ": " + what,
                  "is the file damaged, or part of it missing?");
  }

  std::filesystem::path file_;
  std::unique_ptr<openslide_t, decltype(&openslide_close)> slide_;
  nephron::SlideHeader header_;
  std::uint32_t background_ = 0xffffff;
};

class OpenSlideReader final : public nephron::Reader {
 public:
  int suits(const std::filesystem::path& file, std::string_view head) const override {
    std::string extension = file.extension().string();
    std::transform(extension.begin(), extension.end(), extension.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    if (head.empty()) return 0;  // no format that OpenSlide 3 reads is a folder
    for (const char* known : {".ndpi", ".scn", ".mrxs", ".bif", ".vms", ".vmu", ".svslide"})
      if (extension == known) return 100;
    const bool tiff = head.starts_with("II") || head.starts_with("MM");
    return extension == ".svs" && tiff ? 70 : tiff ? 20 : 0;
  }
  std::unique_ptr<nephron::SlideFile> open(const std::filesystem::path& file) const override {
    return std::make_unique<OpenSlideFile>(file);
  }
};

}  // namespace

NEPHRON_PLUGIN("openslide", "1.0.0")
NEPHRON_COMPONENT(nephron::Reader, OpenSlideReader, "openslide",
                  "Slides of scanners by way of OpenSlide: SVS, NDPI, MRXS, SCN, BIF, VMS and others")
