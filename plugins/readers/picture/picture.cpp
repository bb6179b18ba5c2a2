#include <fstream>
#include <memory>
#include <string>

#include <nephron/picture_cv.hpp>
#include <nephron/reader.hpp>

namespace {

constexpr std::string_view png = "\x89PNG\r\n\x1a\n";
constexpr std::string_view jpeg = "\xff\xd8\xff";

struct PictureParams {
  std::int64_t most_megapixels = 400;
  static void describe(nephron::Schema<PictureParams>& s) {
    s.field("most_megapixels", &PictureParams::most_megapixels, "larger pictures are refused").range(1, 4000);
  }
};

/// The name of its format; throws for what is not whole 8-bit PNG or JPEG. OpenCV would cut 16 bits to 8 unasked.
std::string format_of(const std::filesystem::path& file) {
  std::string head(25, '\0');
  std::ifstream(file, std::ios::binary).read(head.data(), static_cast<std::streamsize>(head.size()));
  if (head.starts_with(jpeg)) return "JPEG";
  if (!head.starts_with(png)) throw nephron::Error(file.string() + " is neither a PNG nor a JPEG file");
  if (head[24] == 16)
    throw nephron::Error(file.string() + " has 16 bits a channel; the reader \"picture\" expects 8",
                         "convert it to 8 bits, or to a TIFF file for the reader \"tiff_16bit\"");
  return "PNG";
}

/// A picture in memory: these formats have no tiles to read one by one.
class PictureFile final : public nephron::SlideFile {
 public:
  PictureFile(const std::filesystem::path& file, std::int64_t most_pixels) {
    header_.format = format_of(file);
    slide_ = std::make_unique<nephron::PictureSlide>(
        nephron::decode_picture(file, nephron::PictureAs::rgb, most_pixels), file.string());
    header_.levels = {{slide_->size(), 1}};
    header_.tile = slide_->size();
  }
  nephron::Size size() const noexcept override { return slide_->size(); }
  const nephron::SlideHeader& header() const noexcept override { return header_; }
  void read(const nephron::Region& region, const nephron::ImageView& out) const override { slide_->read(region, out); }
  void read_level(int level, const nephron::Region& region, const nephron::ImageView& out) const override {
    if (level != 0) throw nephron::Error("a picture has level 0 alone, and not level " + std::to_string(level));
    read(region, out);
  }

 private:
  nephron::SlideHeader header_;
  std::unique_ptr<nephron::PictureSlide> slide_;
};

class PictureReader final : public nephron::Reader {
 public:
  explicit PictureReader(const PictureParams& params) : most_pixels_(params.most_megapixels * 1'000'000) {}

  int suits(const std::filesystem::path&, std::string_view head) const override {
    return head.starts_with(png) || head.starts_with(jpeg) ? 50 : 0;
  }
  std::unique_ptr<nephron::SlideFile> open(const std::filesystem::path& file) const override {
    return std::make_unique<PictureFile>(file, most_pixels_);
  }

 private:
  std::int64_t most_pixels_;
};

}  // namespace

NEPHRON_PLUGIN("picture", "1.0.0")
NEPHRON_COMPONENT(nephron::Reader, PictureReader, "picture", "Pictures: PNG and JPEG, decoded whole")
