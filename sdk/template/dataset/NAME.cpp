#include <nephron/dataset.hpp>

#include <algorithm>
#include <fstream>

struct @CLASS@Params {
  std::filesystem::path root;
  double mpp = 0;

  static void describe(nephron::Schema<@CLASS@Params>& s) {
    s.field("root", &@CLASS@Params::root, "folder of NAME.ppm pictures and NAME.pgm masks").required();
    s.field("mpp", &@CLASS@Params::mpp, "size of a pixel; 0: unknown").range(0, 100).unit("microns");
  }
};

// A binary netpbm file: "P6" (RGB) or "P5" (grey), width, height and 255 in text, then bytes. Replace it with what reads
// your format.
struct Netpbm {
  std::filesystem::path file;
  nephron::Size size;
  int channels = 0;
  std::streamoff start = 0;

  explicit Netpbm(const std::filesystem::path& path) : file(path) {
    std::ifstream in(path, std::ios::binary);
    std::string magic;
    int most = 0;
    in >> magic >> size.width >> size.height >> most;
    channels = magic == "P6" ? 3 : magic == "P5" ? 1 : 0;
    if (!in || channels == 0 || most != 255 || size.empty() || size.width > 1 << 20 || size.height > 1 << 20)
      throw nephron::Error(path.string() + " is not a binary PPM or PGM file of 8 bits", "convert it: magick picture.png picture.ppm");
    start = static_cast<std::streamoff>(in.tellg()) + 1;
    const auto bytes = static_cast<std::uintmax_t>(size.area() * channels) + static_cast<std::uintmax_t>(start);
    if (std::filesystem::file_size(path) < bytes) throw nephron::Error(path.string() + " is cut short");
  }

  void read(const nephron::Region& r, const nephron::ImageView& out) const {
    if (r.clipped({0, 0, size.width, size.height}) != r || r.empty())
      throw nephron::Error("region " + std::to_string(r.x) + ", " + std::to_string(r.y) + " leaves " + file.string());
    std::ifstream in(file, std::ios::binary);  // a stream of its own: reads are thread-safe
    for (std::int64_t y = 0; y < r.height; ++y) {
      in.seekg(start + ((r.y + y) * size.width + r.x) * channels);
      in.read(out.row<char>(y), r.width * channels);
    }
    if (!in) throw nephron::Error("cannot read " + file.string());
  }
};

class @CLASS@Reader final : public nephron::SlideReader {
 public:
  explicit @CLASS@Reader(const std::filesystem::path& file) : picture_(file) {}
  nephron::Size size() const noexcept override { return picture_.size; }
  void read(const nephron::Region& region, const nephron::ImageView& out) const override { picture_.read(region, out); }

 private:
  Netpbm picture_;
};

class @CLASS@Dataset final : public nephron::Dataset {
 public:
  @CLASS@Dataset(const @CLASS@Params& params, nephron::Context&) : params_(params) {}

  std::vector<nephron::SlideInfo> slides(const std::vector<std::string>&) const override {
    if (!std::filesystem::is_directory(params_.root)) throw nephron::Error("there is no folder " + params_.root.string());
    std::vector<nephron::SlideInfo> out;
    for (const auto& entry : std::filesystem::directory_iterator(params_.root)) {
      if (entry.path().extension() != ".ppm") continue;
      nephron::SlideInfo slide;
      slide.id = entry.path().stem().string();
      slide.size = Netpbm(entry.path()).size;
      slide.mpp = params_.mpp;
      slide.source = entry.path();
      out.push_back(std::move(slide));
    }
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    return out;
  }

  std::unique_ptr<nephron::SlideReader> open(const nephron::SlideInfo& slide) const override {
    return std::make_unique<@CLASS@Reader>(slide.source);
  }

  bool annotated(const nephron::SlideInfo& slide) const override { return std::filesystem::exists(mask_of(slide)); }

  // A mask pixel's bits are its classes: 1 is the first class, 2 the second, 3 both.
  void annotate(const nephron::SlideInfo& slide, const std::vector<std::string>&, nephron::AnnotationSink& sink) const override {
    if (!annotated(slide)) return;
    const Netpbm mask(mask_of(slide));
    if (mask.channels != 1 || mask.size != slide.size) throw nephron::Error(mask.file.string() + " is not a grey picture of its slide's size");
    const nephron::Region whole{0, 0, mask.size.width, mask.size.height};
    const nephron::Image labels(mask.size, 1);
    mask.read(whole, labels.view());
    sink.mask(whole, labels.view());
  }

 private:
  static std::filesystem::path mask_of(const nephron::SlideInfo& slide) { return std::filesystem::path(slide.source).replace_extension(".pgm"); }

  @CLASS@Params params_;
};

NEPHRON_PLUGIN("@NAME@", "1.0.0")
NEPHRON_COMPONENT(nephron::Dataset, @CLASS@Dataset, "@NAME@", "What it does, in one line: replace this one")
