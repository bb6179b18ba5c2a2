#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>

#include <unistd.h>

#include <nephron/reader.hpp>

#include <conformance/faults/faults.hpp>

namespace nephron::conformance {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view magic = "PIXELS";
constexpr Size example_size{150, 90};

/// A format for the purpose: "PIXELS width height\n" and the pixels.
fs::path example_file() {
  struct File {
    fs::path path = fs::temp_directory_path() / ("nephron-faults-" + std::to_string(::getpid()) + ".pixels");
    File() {
      std::ofstream out(path, std::ios::binary);
      out << magic << ' ' << example_size.width << ' ' << example_size.height << '\n';
      Rng rng(5, "reader faults");
      for (std::int64_t i = 0; i < 3 * example_size.area(); ++i) out.put(static_cast<char>(rng.integer(0, 255)));
    }
    ~File() {
      std::error_code ignored;
      fs::remove(path, ignored);
    }
  };
  static const File file;
  return file.path;
}

/// Two levels; of the smaller one a pixel is the corner of four.
class GoodSlide : public SlideFile {
 public:
  GoodSlide(Size size, std::string pixels) : pixels_(std::move(pixels)) {
    header_.levels = {{size, 1}};
    if (size.width > 1 && size.height > 1) header_.levels.push_back({{size.width / 2, size.height / 2}, 2});
    header_.tile = size;
    header_.format = "pixels";
  }
  Size size() const noexcept override { return header_.levels[0].size; }
  const SlideHeader& header() const noexcept override { return header_; }
  void read(const Region& region, const ImageView& out) const override { read_level(0, region, out); }
  void read_level(int level, const Region& region, const ImageView& out) const override {
    const Size size = header_.levels.at(static_cast<std::size_t>(level)).size;
    if (region.clipped({0, 0, size.width, size.height}) != region) throw Error("the region leaves the slide");
    fill(level, region, out);
  }

 protected:
  void fill(int level, const Region& region, const ImageView& out) const {
    const std::int64_t step = level == 0 ? 1 : 2;
    for (std::int64_t y = 0; y < region.height; ++y)
      for (std::int64_t x = 0; x < 3 * region.width; ++x) {
        const std::int64_t column = std::min((region.x + x / 3) * step, size().width - 1);
        const std::int64_t row = std::min((region.y + y) * step, size().height - 1);
        out.row<char>(y)[x] = pixels_[static_cast<std::size_t>(
            3 * (std::max<std::int64_t>(0, row) * size().width + std::max<std::int64_t>(0, column)) + x % 3)];
      }
  }
  SlideHeader header_;

 private:
  std::string pixels_;
};

template <class Slide>
class ReaderOf : public Reader {
 public:
  int suits(const fs::path&, std::string_view head) const override { return head.starts_with(magic) ? 100 : 0; }
  std::unique_ptr<SlideFile> open(const fs::path& file) const override {
    std::ifstream in(file, std::ios::binary);
    std::stringstream bytes;
    if (!(bytes << in.rdbuf())) throw Error("cannot read " + file.string());
    std::string word;
    Size size;
    if (!(bytes >> word >> size.width >> size.height) || word != magic || size.empty() || size.width > 65536 ||
        size.height > 65536)
      throw Error(file.string() + " is not a picture of this format");
    std::string pixels = bytes.str().substr(static_cast<std::size_t>(bytes.tellg()) + 1);
    if (pixels.size() != static_cast<std::size_t>(3 * size.area())) throw Error(file.string() + " is cut short");
    return std::make_unique<Slide>(size, std::move(pixels));
  }
};

using GoodReader = ReaderOf<GoodSlide>;

class SureOfEverything final : public GoodReader {
 public:
  int suits(const fs::path&, std::string_view) const override { return 120; }
};

class OpensEmptyFiles final : public GoodReader {
 public:
  std::unique_ptr<SlideFile> open(const fs::path& file) const override {
    std::error_code none;
    if (fs::is_regular_file(file, none) && fs::file_size(file, none) == 0)
      return std::make_unique<GoodSlide>(Size{1, 1}, "rgb");
    return GoodReader::open(file);
  }
};

class KeepsTheNameToItself final : public GoodReader {
 public:
  std::unique_ptr<SlideFile> open(const fs::path& file) const override {
    if (!fs::exists(file)) throw Error("no such file");
    return GoodReader::open(file);
  }
};

class VagueOnDamage final : public GoodReader {
 public:
  std::unique_ptr<SlideFile> open(const fs::path& file) const override {
    try {
      return GoodReader::open(file);
    } catch (const Error& e) {
      if (std::string(e.what()).ends_with("cut short")) throw Error("unexpected end of file");
      throw;
    }
  }
};

class NegativePixelSize final : public GoodSlide {
 public:
  NegativePixelSize(Size size, std::string pixels) : GoodSlide(size, std::move(pixels)) { header_.mpp = -0.5; }
};

class LevelsThatGrow final : public GoodSlide {
 public:
  LevelsThatGrow(Size size, std::string pixels) : GoodSlide(size, std::move(pixels)) {
    for (std::size_t l = 1; l < header_.levels.size(); ++l) header_.levels[l].downsample = 0.5;
  }
};

class StartsAtTheCorner final : public GoodSlide {
 public:
  using GoodSlide::GoodSlide;
  void read_level(int level, const Region& region, const ImageView& out) const override {
    GoodSlide::read_level(level, region, out);
    fill(level, {0, 0, region.width, region.height}, out);
  }
};

class ForgetsX final : public GoodSlide {
 public:
  using GoodSlide::GoodSlide;
  void read_level(int level, const Region& region, const ImageView& out) const override {
    GoodSlide::read_level(level, region, out);
    fill(level, {0, region.y, region.width, region.height}, out);
  }
};

class ServesAnything final : public GoodSlide {
 public:
  using GoodSlide::GoodSlide;
  void read_level(int level, const Region& region, const ImageView& out) const override { fill(level, region, out); }
};

class KeepsItsRegion final : public GoodSlide {
 public:
  using GoodSlide::GoodSlide;
  void read_level(int level, const Region& region, const ImageView& out) const override {
    GoodSlide::read_level(level, region, out);
    const Region kept = scratch_.through(region);
    fill(level, {kept.x, kept.y, region.width, region.height}, out);
  }

 private:
  mutable SharedScratch<Region> scratch_;
};

template <class Class>
Subject reader(std::string name) {
  Subject s = subject_of<Reader, Class>(std::move(name));
  s.files = {example_file()};
  return s;
}

}  // namespace

Fixture reader_fixture() {
  return {{reader<GoodReader>("good")},
          {
              {"suits", "suits() gives 120", reader<SureOfEverything>("sure_of_everything")},
              {"refusing", "empty.tif, which is no slide, was opened", reader<OpensEmptyFiles>("opens_empty_files")},
              {"refusing", "does not name the file", reader<KeepsTheNameToItself>("keeps_the_name")},
              {"damage", "does not name the file", reader<VagueOnDamage>("vague_on_damage")},
              {"header", "microns per pixel", reader<ReaderOf<NegativePixelSize>>("negative_pixel_size")},
              {"header", "level 1 is not smaller", reader<ReaderOf<LevelsThatGrow>>("levels_that_grow")},
              {"reading", "differs from the same part", reader<ReaderOf<StartsAtTheCorner>>("starts_at_the_corner")},
              {"reading", "show other pixels where they overlap", reader<ReaderOf<ForgetsX>>("forgets_x")},
              {"outside", "without a word", reader<ReaderOf<ServesAnything>>("serves_anything")},
              {"threads", "from several threads at once", reader<ReaderOf<KeepsItsRegion>>("shared_scratch")},
          }};
}

}  // namespace nephron::conformance
