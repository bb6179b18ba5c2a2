// Files of every layout, written by tifffile, and real slides: every pixel of every level must be what tifffile or
// OpenSlide reads, whole, by windows, and from several threads at once.
//
// Tolerances: none but for JPEG 2000, one grey level in two samples and one pixel in a million more. With loss, the
// peers' OpenJPEG differs so from Debian's, through OpenSlide too. Tiles in YCbCr are lossless here: there it is the
// rounding of the conversion to RGB, whose exact form in OpenSlide was not found out.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <future>
#include <sstream>

#include <gtest/gtest.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <nephron/rng.hpp>

#include <host/slides/opener.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

fs::path peers_python() {
  if (const char* named = std::getenv("NEPHRON_PEERS")) return named;
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  return (cache != nullptr ? fs::path(cache) : fs::path(home != nullptr ? home : "") / ".cache") /
         "nephron/peers/bin/python";
}

fs::path shared() {
  if (const char* named = std::getenv("NEPHRON_SHARED")) return named;
  return fs::path(NEPHRON_SOURCE_DIR).parent_path() / "shared";
}

Image load(const fs::path& file, Size size) {
  Image out(size, 3);
  std::ifstream in(file, std::ios::binary);
  in.read(static_cast<char*>(out.view().data), size.area() * 3);
  EXPECT_EQ(in.gcount(), size.area() * 3) << file;
  return out;
}

/// How many samples differ, and the first place; empty when none. `format`: that of the slide, for the tolerance.
std::string difference(const ImageView& ours, const ImageView& theirs, const std::string& format) {
  std::int64_t count = 0;
  int worst = 0;
  std::string first;
  for (std::int64_t y = 0; y < ours.height; ++y) {
    const auto* a = ours.row<std::uint8_t>(y);
    const auto* b = theirs.row<std::uint8_t>(y);
    if (std::memcmp(a, b, static_cast<std::size_t>(3 * ours.width)) == 0) continue;
    for (std::int64_t i = 0; i < 3 * ours.width; ++i) {
      if (a[i] == b[i]) continue;
      if (count++ == 0)
        first = std::to_string(i / 3) + ", " + std::to_string(y) + " channel " + std::to_string(i % 3) + ": " +
                std::to_string(a[i]) + " for " + std::to_string(b[i]);
      worst = std::max(worst, std::abs(a[i] - b[i]));
    }
  }
  const bool jpeg2000 = format.find("JPEG 2000") != std::string::npos || format.starts_with("OpenSlide");
  if (jpeg2000 && worst <= 1 && count <= 2 + ours.width * ours.height / 1000000) return "";
  return count == 0
             ? ""
             : std::to_string(count) + " samples differ, by up to " + std::to_string(worst) + "; first at " + first;
}

class SlideParity : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!fs::exists(peers_python())) return;
    folder_ = fs::temp_directory_path() / ("nephron_slides_" + std::to_string(::getpid()));
    fs::create_directories(folder_);
    const std::string command =
        peers_python().string() + " " + NEPHRON_SOURCE_DIR + "/tests/parity/slides/make_slides.py " + folder_.string() +
        " " + (shared() / "data/slides").string() + " " + (shared() / "peers/make_slide.py").string() + " >" +
        (folder_ / "log").string() + " 2>&1";
    if (std::system(command.c_str()) == 0) cases_ = json::parse(std::ifstream(folder_ / "cases.json"));
  }
  static void TearDownTestSuite() {
    if (!folder_.empty() && std::getenv("NEPHRON_KEEP") == nullptr) fs::remove_all(folder_);
  }
  void SetUp() override {
    if (folder_.empty()) GTEST_SKIP() << "no Python peers: ./nephron peers makes them, or set NEPHRON_PEERS";
    if (cases_.empty()) {
      std::stringstream log;
      log << std::ifstream(folder_ / "log").rdbuf();
      FAIL() << "make_slides.py failed:\n" << log.str();
    }
    std::stringstream files(NEPHRON_PLUGIN_FILES);
    PluginSearch search;
    for (std::string file; std::getline(files, file, ':');) search.command_line.emplace_back(file);
    search.folders = false;
    registry_ = std::make_unique<Registry>(search);
    opener_ = std::make_unique<ReaderOpener>(*registry_);
    const std::vector<std::string> names = registry_->names("reader");
    has_openslide_ = std::find(names.begin(), names.end(), "openslide") != names.end();
  }

  /// Calls f(case, slide, levels as the peer reads them).
  template <class F>
  void each(F&& f) {
    for (const json& c : cases_) {
      SCOPED_TRACE(c["name"].get<std::string>());
      if (c["reader"] == "openslide" && !has_openslide_) continue;
      std::vector<Image> levels;
      for (const json& l : c["levels"])
        levels.push_back(load(folder_ / l["file"].get<std::string>(), {l["width"].get<int>(), l["height"].get<int>()}));
      try {
        f(c, *opener_->open(c["file"].get<std::string>(), c["reader"].get<std::string>()), levels);
      } catch (const Error& e) {
        ADD_FAILURE() << e.what();
      }
    }
  }

  inline static fs::path folder_;
  inline static json cases_;
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<ReaderOpener> opener_;
  bool has_openslide_ = false;
};

TEST_F(SlideParity, EveryPixelOfEveryLevel) {
  ASSERT_GT(cases_.size(), 60U);
  each([](const json&, const SlideFile& slide, const std::vector<Image>& levels) {
    ASSERT_EQ(slide.header().levels.size(), levels.size()) << slide.header().format;
    EXPECT_EQ(slide.size(), levels[0].size());
    for (std::size_t l = 0; l < levels.size(); ++l) {
      const Size size = slide.header().levels[l].size;
      ASSERT_EQ(size, levels[l].size()) << "level " << l;
      Image ours(size, 3);
      slide.read_level(static_cast<int>(l), {0, 0, size.width, size.height}, ours.view());
      EXPECT_EQ(difference(ours.view(), levels[l].view(), slide.header().format), "")
          << "level " << l << " of " << slide.header().format;
    }
  });
}

TEST_F(SlideParity, MicronsPerPixel) {
  int stated = 0;
  each([&](const json& c, const SlideFile& slide, const std::vector<Image>&) {
    const double expected = c["mpp"];
    stated += expected > 0 ? 1 : 0;
    EXPECT_NEAR(slide.header().mpp, expected, 1e-6);
  });
  EXPECT_GE(stated, 12);
}

TEST_F(SlideParity, WindowsFromSeveralThreads) {
  each([&](const json& c, const SlideFile& slide, const std::vector<Image>& levels) {
    const auto windows = [&](std::uint64_t thread) {
      Rng rng(thread, c["name"].get<std::string>());
      std::string wrong;
      for (int i = 0; i < 12; ++i) {
        const auto l = static_cast<std::size_t>(rng.integer(0, static_cast<std::int64_t>(levels.size()) - 1));
        const Size size = levels[l].size();
        Region r;
        r.width = rng.integer(1, std::min<std::int64_t>(size.width, 150));
        r.height = rng.integer(1, std::min<std::int64_t>(size.height, 150));
        r.x = rng.integer(0, size.width - r.width);
        r.y = rng.integer(0, size.height - r.height);
        // OpenSlide takes corners in pixels of level 0, and mixes neighbours where they fall between those of the
        // level.
        if (c["reader"] == "openslide" && l > 0) continue;
        const Image canvas({r.width + 2, r.height + 2}, 3);  // rows further apart than the window is wide
        slide.read_level(static_cast<int>(l), r, canvas.view().crop({1, 1, r.width, r.height}));
        const std::string d =
            difference(canvas.view().crop({1, 1, r.width, r.height}), levels[l].view().crop(r), slide.header().format);
        if (!d.empty()) wrong = d;
      }
      return wrong;
    };
    std::vector<std::future<std::string>> threads;
    for (std::uint64_t t = 0; t < 4; ++t) threads.push_back(std::async(std::launch::async, windows, t));
    for (auto& t : threads) EXPECT_EQ(t.get(), "") << slide.header().format;
  });
}

TEST_F(SlideParity, TheBestReaderIsChosen) {
  const fs::path slides = shared() / "data/slides";
  if (!fs::exists(slides)) GTEST_SKIP() << "no slides at " << slides << ": set NEPHRON_SHARED";
  EXPECT_EQ(opener_->rank(slides / "cmu-1-small-region.svs").front().reader, "tiff");
  try {
    opener_->open(slides / "broken.svs");
    FAIL() << "a file of text was opened";
  } catch (const Error& e) {
    EXPECT_NE(
        std::string(e.what()).find("no reader suits slide file " + (slides / "broken.svs").string() + "; asked: "),
        std::string::npos)
        << e.what();
  }
  EXPECT_THROW(opener_->open(slides / "broken.svs", "tiff"), Error);
  if (has_openslide_) {
    EXPECT_THROW(opener_->open(slides / "broken.svs", "openslide"), Error);
    const auto ours = opener_->open(slides / "cmu-1-small-region.svs", "openslide");
    EXPECT_EQ(ours->header().format, "OpenSlide: aperio");
  }
}

}  // namespace
}  // namespace nephron::host
