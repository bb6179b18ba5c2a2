#include <cmath>
#include <cstring>
#include <fstream>

#include <unistd.h>

#include <nephron/reader.hpp>

#include <conformance/bench.hpp>
#include <conformance/kind_checks.hpp>
#include <conformance/overlaps.hpp>

namespace nephron::conformance {

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t patch = 64;
constexpr std::size_t head_bytes = 4096;

/// A folder that goes with its owner.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "nephron-reader-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw Skipped("no temporary folder can be made");
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  fs::path write(const std::string& name, const std::string& bytes) const {
    const fs::path file = path_ / name;
    std::ofstream(file, std::ios::binary) << bytes;
    return file;
  }
  const fs::path& path() const noexcept { return path_; }

 private:
  fs::path path_;
};

std::string bytes_of_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string random_bytes(std::size_t count) {
  Rng rng(11, "reader check");
  std::string out(count, '\0');
  for (char& c : out) c = static_cast<char>(rng.integer(0, 255));
  return out;
}

/// Files that are no slides, though some begin as one.
std::vector<std::pair<std::string, std::string>> strange_files() {
  using namespace std::string_literals;
  return {{"empty.tif", ""},
          {"byte.tif", "I"},
          {"text.svs", "this is not a slide\n"},
          {"zeros.tif", std::string(5000, '\0')},
          {"random.tif", random_bytes(6000)},
          {"tiff_without_a_directory.tif", "II*\0\0\0\0\0"s},
          {"tiff_that_points_outside.tif", "II*\0\xf0\xff\xff\xff"s},
          {"bigtiff_that_points_outside.tif", "MM\0+\0\x08\0\0\x7f\xff\xff\xff\xff\xff\xff\xf0"s},
          {"tiff_with_random_bytes.tif", "II*\0\x08\0\0\0"s + random_bytes(3000)},
          {"png.png", "\x89PNG\r\n\x1a\n"s + random_bytes(100)},
          {"pgm.ppm", "P6\n999999999 999999999\n255\n"}};
}

/// Fails unless the reader refuses the file with an error that names it. It may also open it, and then reads.
void require_refusal_or_pixels(const Reader& reader, const fs::path& file, bool must_refuse) {
  try {
    const auto slide = reader.open(file);
    expect(slide != nullptr, [&] { return "open() of " + file.filename().string() + " gave no slide and no error"; });
    const Size size = slide->size();
    const Region corner{0, 0, std::min(patch, size.width), std::min(patch, size.height)};
    expect(!size.empty(), [&] { return file.filename().string() + " was opened with no size"; });
    const Image out(corner.size(), 3);
    slide->read(corner, out.view());
  } catch (const Failed&) {
    throw;
  } catch (const std::exception& e) {
    const std::string text = e.what();
    expect(text.find(file.filename().string()) != std::string::npos,
           [&] { return "the error for " + file.filename().string() + " does not name the file: \"" + text + "\""; });
    return;
  }
  expect(!must_refuse,
         [&] { return file.filename().string() + ", which is no slide, was opened and read; expected an Error"; });
}

void check_suits(const Subject& s) {
  BenchContext context(s);
  const auto reader = s.make<Reader>(context);
  auto files = strange_files();
  for (const fs::path& file : s.files) files.emplace_back(file.string(), bytes_of_file(file).substr(0, head_bytes));
  for (const auto& [name, bytes] : files) {
    const std::string head = bytes.substr(0, head_bytes);
    // The file is not there: name and first bytes have to do.
    const fs::path nowhere = fs::path("/nonexistent") / fs::path(name).filename();
    const int suits = reader->suits(nowhere, head);
    expect(suits >= 0 && suits <= 100,
           [&, n = name] { return "suits() gives " + std::to_string(suits) + " for " + n + "; expected 0 to 100"; });
    expect(reader->suits(nowhere, head) == suits,
           [&, n = name] { return "asked again, suits() gives another number for " + n; });
  }
}

void check_refusing(const Subject& s) {
  BenchContext context(s);
  const auto reader = s.make<Reader>(context);
  const Folder folder;
  for (const auto& [name, bytes] : strange_files()) require_refusal_or_pixels(*reader, folder.write(name, bytes), true);
  require_refusal_or_pixels(*reader, folder.path() / "nothing_here.tif", true);
  require_refusal_or_pixels(*reader, folder.path(), true);
}

void require_files(const Subject& s) {
  if (s.files.empty()) throw Skipped("needs --file FILE, a slide that the reader can open");
}

/// Damaged copies of a sound file: cut at many lengths, and with bytes changed.
void check_damage(const Subject& s) {
  require_files(s);
  BenchContext context(s);
  const auto reader = s.make<Reader>(context);
  const Folder folder;
  for (const fs::path& file : s.files) {
    const std::string sound = bytes_of_file(file);
    if (sound.size() > std::size_t{64} << 20) continue;  // a small file has the same headers
    Rng rng(12, file.filename().string());
    const auto one = [&](const std::string& bytes) {
      require_refusal_or_pixels(*reader, folder.write("damaged" + file.extension().string(), bytes), false);
    };
    for (int i = 0; i < 40; ++i) one(sound.substr(0, sound.size() * static_cast<std::size_t>(i) / 40));
    for (int i = 0; i < 100; ++i) {
      std::string bytes = sound;
      // Headers stand at the ends.
      for (std::int64_t k = rng.integer(1, 8); k > 0 && !bytes.empty(); --k) {
        const std::int64_t last = static_cast<std::int64_t>(bytes.size()) - 1;
        const std::int64_t near = std::min<std::int64_t>(last, 512);
        const std::int64_t at = rng.chance(0.4)   ? rng.integer(0, near)
                                : rng.chance(0.5) ? last - rng.integer(0, near)
                                                  : rng.integer(0, last);
        bytes[static_cast<std::size_t>(at)] = static_cast<char>(rng.integer(0, 255));
      }
      one(bytes);
    }
  }
}

/// A region of a level, read into the middle of a larger picture whose rim must stay as it is.
Image read(const SlideFile& slide, int level, const Region& region) {
  constexpr std::int64_t rim = 2;
  const Image canvas({region.width + 2 * rim, region.height + 2 * rim}, 3);
  std::memset(canvas.view().data, 0xA5, static_cast<std::size_t>(canvas.view().stride * canvas.view().height));
  const ImageView middle = canvas.view().crop({rim, rim, region.width, region.height});
  slide.read_level(level, region, middle);
  Image out(region.size(), 3);
  copy(middle, out.view());
  for (std::int64_t y = 0; y < canvas.size().height; ++y)
    for (std::int64_t x = 0; x < 3 * canvas.size().width; ++x) {
      const bool inside = y >= rim && y < rim + region.height && x >= 3 * rim && x < 3 * (rim + region.width);
      expect(inside || canvas.view().row<std::uint8_t>(y)[x] == 0xA5,
             "a read writes outside the view that it is given");
    }
  return out;
}

/// Corners and middle of a level.
std::vector<Region> places(Size size) {
  const std::int64_t w = std::min(patch, size.width), h = std::min(patch, size.height);
  return {{0, 0, w, h},
          {size.width - w, size.height - h, w, h},
          {(size.width - w) / 2, (size.height - h) / 2, w, h},
          {size.width - 1, 0, 1, 1}};
}

void check_header(const Subject& s) {
  require_files(s);
  BenchContext context(s);
  const auto reader = s.make<Reader>(context);
  for (const fs::path& file : s.files) {
    expect(reader->suits(file, bytes_of_file(file).substr(0, head_bytes)) >= 0, "suits() is negative");
    const auto slide = reader->open(file);
    const SlideHeader& h = slide->header();
    expect(!h.levels.empty() && h.levels[0].size == slide->size() && !slide->size().empty(),
           "level 0 is not of the slide's size");
    expect(h.levels[0].downsample == 1, "level 0 has a downsampling other than 1");
    for (std::size_t l = 1; l < h.levels.size(); ++l)
      expect(h.levels[l].size.width < h.levels[l - 1].size.width && h.levels[l].downsample > h.levels[l - 1].downsample,
             [&] { return "level " + std::to_string(l) + " is not smaller than the one before it"; });
    expect(std::isfinite(h.mpp) && h.mpp >= 0, "the number of microns per pixel is impossible");
    expect(h.channels == 1 || h.channels == 3 || h.channels == 4, "it states other than 1, 3 or 4 channels");
    expect(!h.tile.empty() && !h.format.empty(), "it does not state its tiles or its format");
  }
}

void check_reading(const Subject& s) {
  require_files(s);
  BenchContext context(s);
  const auto reader = s.make<Reader>(context);
  for (const fs::path& file : s.files) {
    const auto slide = reader->open(file);
    const auto again = reader->open(file);
    for (std::size_t l = 0; l < slide->header().levels.size(); ++l)
      for (const Region& r : places(slide->header().levels[l].size)) {
        const int level = static_cast<int>(l);
        const Image whole = read(*slide, level, r);
        expect(same_pixels(read(*again, level, r).view(), whole.view()), "opened again, the file has other pixels");
        if (l > 0) continue;  // a reader may resample smaller levels
        for (const Region& other : overlaps_of(r, slide->size()))
          expect(same_where_both({read(*slide, 0, other), other}, {whole, r}), [&] {
            return "a part that is read alone differs from the same part of a larger region: " + text_of(other) +
                   " and " + text_of(r) + " show other pixels where they overlap";
          });
        const Image plain(r.size(), 3);
        slide->read(r, plain.view());
        expect(same_pixels(plain.view(), whole.view()), "read() differs from read_level() of level 0");
      }
  }
}

void check_outside(const Subject& s) {
  require_files(s);
  BenchContext context(s);
  const auto slide = s.make<Reader>(context)->open(s.files.front());
  const Size size = slide->size();
  const Image out({8, 8}, 3);
  for (const Region& r : {Region{size.width - 4, 0, 8, 8}, Region{-4, 0, 8, 8}, Region{0, size.height, 8, 8}}) {
    bool refused = false;
    try {
      slide->read(r, out.view());
    } catch (const std::exception&) {
      refused = true;
    }
    expect(refused, "a region that leaves the slide is read without a word; expected an Error");
  }
}

void check_threads(const Subject& s) {
  require_files(s);
  BenchContext context(s);
  const auto slide = s.make<Reader>(context)->open(s.files.front());
  const std::vector<Region> regions = places(slide->size());
  std::vector<Image> serial;
  for (const Region& r : regions) serial.push_back(read(*slide, 0, r));
  on_threads(4, [&](std::size_t t) {
    for (std::size_t k = 0; k < 16; ++k) {
      const std::size_t i = (k + t) % regions.size();
      expect(same_pixels(read(*slide, 0, regions[i]).view(), serial[i].view()),
             "reads from several threads at once give other pixels than one after the other");
    }
  });
}

}  // namespace

std::vector<Check> reader_checks() {
  return {
      {"suits", "suits() needs name and first bytes alone, and gives 0 to 100", &check_suits},
      {"refusing", "what is no slide is refused with an error that names the file", &check_refusing},
      {"damage", "damaged files give an error or pixels, never a crash", &check_damage},
      {"header", "levels, pixel size and channels make sense", &check_header},
      {"reading", "regions agree with each other and stay inside their view", &check_reading},
      {"outside", "a region that leaves the slide is refused", &check_outside},
      {"threads", "reads at once give what reads in turn give", &check_threads},
  };
}

}  // namespace nephron::conformance
