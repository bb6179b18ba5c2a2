#include <nephron/reader.hpp>

#include <fstream>

// A binary netpbm file: "P6" (RGB) or "P5" (grey), width, height and 255 in text, then bytes. Replace it with what reads
// your format.
class @CLASS@File final : public nephron::SlideFile {
 public:
  explicit @CLASS@File(const std::filesystem::path& path) : file_(path) {
    if (!std::filesystem::is_regular_file(path)) throw nephron::Error("there is no file " + path.string());
    std::ifstream in(path, std::ios::binary);
    std::string magic;
    int most = 0;
    nephron::Size size;
    in >> magic >> size.width >> size.height >> most;
    header_.channels = magic == "P6" ? 3 : magic == "P5" ? 1 : 0;
    if (!in || header_.channels == 0 || most != 255 || size.empty() || size.width > 1 << 20 || size.height > 1 << 20)
      throw nephron::Error(path.string() + " is not a binary PPM or PGM file of 8 bits", "convert it: magick picture.png picture.ppm");
    start_ = static_cast<std::streamoff>(in.tellg()) + 1;
    const auto bytes = static_cast<std::uintmax_t>(size.area() * header_.channels) + static_cast<std::uintmax_t>(start_);
    if (std::filesystem::file_size(path) < bytes)
      throw nephron::Error(path.string() + " is cut short: " + std::to_string(bytes) + " bytes were expected", "copy it again");
    header_.levels = {{size, 1}};
    header_.tile = {size.width, 1};
    header_.format = "netpbm";
  }

  nephron::Size size() const noexcept override { return header_.levels.front().size; }
  const nephron::SlideHeader& header() const noexcept override { return header_; }
  void read(const nephron::Region& region, const nephron::ImageView& out) const override { read_level(0, region, out); }

  void read_level(int, const nephron::Region& r, const nephron::ImageView& out) const override {
    if (r.clipped({0, 0, size().width, size().height}) != r || r.empty())
      throw nephron::Error("region " + std::to_string(r.x) + ", " + std::to_string(r.y) + " leaves " + file_.string());
    std::ifstream in(file_, std::ios::binary);  // a stream of its own: reads are thread-safe
    const int channels = header_.channels;
    for (std::int64_t y = 0; y < r.height; ++y) {
      auto* row = out.row<char>(y);
      in.seekg(start_ + ((r.y + y) * size().width + r.x) * channels);
      in.read(row, r.width * channels);
      for (std::int64_t x = r.width; channels == 1 && x-- > 0;)  // grey becomes RGB, from the end
        row[3 * x] = row[3 * x + 1] = row[3 * x + 2] = row[x];
    }
    if (!in) throw nephron::Error("cannot read " + file_.string());
  }

 private:
  std::filesystem::path file_;
  nephron::SlideHeader header_;
  std::streamoff start_ = 0;
};

class @CLASS@Reader final : public nephron::Reader {
 public:
  // 0: not at all; 50: as any reader of the format; 100: made for it.
  int suits(const std::filesystem::path&, std::string_view head) const override {
    return head.starts_with("P6") || head.starts_with("P5") ? 50 : 0;
  }
  std::unique_ptr<nephron::SlideFile> open(const std::filesystem::path& file) const override {
    return std::make_unique<@CLASS@File>(file);
  }
};

NEPHRON_PLUGIN("@NAME@", "1.0.0")
NEPHRON_COMPONENT(nephron::Reader, @CLASS@Reader, "@NAME@", "What it does, in one line: replace this one")
