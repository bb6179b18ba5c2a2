#include <algorithm>
#include <cctype>
#include <string>

#include <nephron/reader.hpp>

#include "tiff_slide.hpp"

namespace tiff_reader {

namespace {

struct TiffParams {
  int cache = 256;

  static void describe(nephron::Schema<TiffParams>& s) {
    s.field("cache", &TiffParams::cache, "decoded tiles that are held, of all slides together")
        .range(1, 1 << 20)
        .unit("MiB");
  }
};

bool is_tiff(std::string_view head) {
  using namespace std::string_view_literals;
  for (const std::string_view magic : {"II*\0"sv, "MM\0*"sv, "II+\0"sv, "MM\0+"sv})
    if (head.starts_with(magic)) return true;
  return false;
}

std::string extension_of(const std::filesystem::path& file) {
  std::string out = file.extension().string();
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

class TiffReader final : public nephron::Reader {
 public:
  TiffReader(const TiffParams& params, nephron::Context& context)
      : cache_(std::make_shared<ChunkCache>(static_cast<std::size_t>(params.cache) << 20)),
        scale_16_bit_(context.component() == "tiff_16bit") {}

  int suits(const std::filesystem::path& file, std::string_view head) const override {
    if (!is_tiff(head) || scale_16_bit_) return 0;
    const std::string extension = extension_of(file);
    // TIFF with rules of a vendor's own: tiles that overlap, places beyond 4 GB, other pictures between the levels.
    for (const char* other : {".ndpi", ".scn", ".bif", ".vms", ".vmu"})
      if (extension == other) return 10;
#ifndef NEPHRON_JPEG2000
    if (extension == ".svs") return 40;
#endif
    return 80;
  }

  std::unique_ptr<nephron::SlideFile> open(const std::filesystem::path& file) const override {
    return std::make_unique<TiffSlide>(file, cache_, scale_16_bit_);
  }

 private:
  std::shared_ptr<ChunkCache> cache_;
  bool scale_16_bit_;
};

}  // namespace

}  // namespace tiff_reader

NEPHRON_PLUGIN("tiff", "1.0.0")
NEPHRON_COMPONENT(nephron::Reader, tiff_reader::TiffReader, "tiff",
                  "TIFF and BigTIFF: strips, tiles, planes, OME-TIFF, ImageJ, Aperio SVS; pyramid levels")
NEPHRON_COMPONENT(nephron::Reader, tiff_reader::TiffReader, "tiff_16bit",
                  "As tiff, and 16-bit pixels scaled to 8; used only when it is named")
