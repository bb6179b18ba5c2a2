// The reader through the host's opener. Every pixel against OpenSlide's own Python binding: tests/parity/slides.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openslide.h>
#include <tiffio.h>
#include <unistd.h>

#include <host/plugins/guard.hpp>
#include <host/slides/opener.hpp>
#include <tests/support/damaged.hpp>
#include <tests/support/error_of.hpp>
#include <tests/support/put_file.hpp>
#include <tests/support/scratch_folder.hpp>
#include <tests/support/shared_data.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

constexpr int width = 100, height = 80, tile = 32;

std::uint8_t pixel(int x, int y, int c) { return static_cast<std::uint8_t>(7 * x + 13 * y + 50 * c + x * y / 9); }

class OpenSlide : public testing::Test {
 protected:
  /// A slide of Aperio's layout, so far as OpenSlide looks: tiles, and "Aperio" in the description.
  fs::path written(const std::string& name, bool tiled = true) const {
    const fs::path file = folder_ / name;
    TIFF* const tiff = TIFFOpen(file.c_str(), "w");
    for (const auto& [tag, value] : {std::pair{TIFFTAG_IMAGEWIDTH, width},
                                     {TIFFTAG_IMAGELENGTH, height},
                                     {TIFFTAG_SAMPLESPERPIXEL, 3},
                                     {TIFFTAG_BITSPERSAMPLE, 8},
                                     {TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_RGB},
                                     {TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG},
                                     {TIFFTAG_COMPRESSION, COMPRESSION_ADOBE_DEFLATE}})
      TIFFSetField(tiff, static_cast<std::uint32_t>(tag), value);
    TIFFSetField(tiff, TIFFTAG_IMAGEDESCRIPTION, "Aperio Image Library |AppMag = 40|MPP = 0.25");
    if (tiled) TIFFSetField(tiff, TIFFTAG_TILEWIDTH, tile), TIFFSetField(tiff, TIFFTAG_TILELENGTH, tile);
    const int wide = tiled ? tile : width, high = tiled ? tile : 1;
    std::vector<std::uint8_t> part(static_cast<std::size_t>(3 * wide * high));
    for (int y = 0; y < height; y += high)
      for (int x = 0; x < width; x += wide) {
        for (int i = 0; i < wide * high * 3; ++i)
          part[static_cast<std::size_t>(i)] = pixel(x + i / 3 % wide, y + i / 3 / wide, i % 3);
        if (tiled) TIFFWriteTile(tiff, part.data(), static_cast<std::uint32_t>(x), static_cast<std::uint32_t>(y), 0, 0);
        else TIFFWriteScanline(tiff, part.data(), static_cast<std::uint32_t>(y), 0);
      }
    TIFFClose(tiff);
    return file;
  }
  static PluginSearch search() {
    PluginSearch out;
    out.command_line = {NEPHRON_PLUGIN_FILE};
    out.folders = false;
    return out;
  }
  static void expect_pixels(const SlideFile& slide, const Region& r) {
    const Image out(r.size(), 3);
    slide.read(r, out.view());
    for (std::int64_t y = 0; y < r.height; ++y)
      for (std::int64_t x = 0; x < r.width; ++x)
        for (int c = 0; c < 3; ++c)
          ASSERT_EQ(out.view().row<std::uint8_t>(y)[3 * x + c],
                    pixel(static_cast<int>(r.x + x), static_cast<int>(r.y + y), c))
              << r.x + x << ", " << r.y + y;
  }
  std::string fault(const fs::path& file) {
    return error_and_hint_of([&] { opener_.open(file, "openslide"); });
  }

  const ScratchFolder scratch_{"openslide"};
  const fs::path& folder_ = scratch_.path();
  Registry registry_{search()};
  ReaderOpener opener_{registry_};
};

TEST_F(OpenSlide, ReadsPixelsAndWhatTheSlideSays) {
  const auto slide = opener_.open(written("a.svs"));
  EXPECT_EQ(slide->size(), (Size{width, height}));
  const SlideHeader& header = slide->header();
  EXPECT_EQ(header.format, "OpenSlide: aperio");
  EXPECT_DOUBLE_EQ(header.mpp, 0.25);
  EXPECT_EQ(header.tile, (Size{tile, tile}));
  ASSERT_EQ(header.levels.size(), 1U);
  expect_pixels(*slide, {0, 0, width, height});
  expect_pixels(*slide, {31, 30, 40, 45});
}

TEST_F(OpenSlide, ThreadsShareASlide) {
  const auto slide = opener_.open(written("a.svs"));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 5; ++i) expect_pixels(*slide, {t, i, width - t, height - i});
    });
  for (std::thread& t : threads) t.join();
}

TEST_F(OpenSlide, SuitsWhatScannersWrite) {
  const auto rank = [&](const fs::path& file) {
    const auto ranks = opener_.rank(file);
    return ranks.empty() ? 0 : ranks.front().suits;
  };
  EXPECT_GT(rank(written("a.svs")), rank(written("a.tif")));
  put_file(folder_ / "a.mrxs", "x");
  put_file(folder_ / "a.NDPI", "x");
  EXPECT_EQ(rank(folder_ / "a.mrxs"), 100);
  EXPECT_EQ(rank(folder_ / "a.NDPI"), 100);
  put_file(folder_ / "text.svs", "no slide");
  EXPECT_THAT(error_of([&] { opener_.open(folder_ / "text.svs"); }), HasSubstr("no reader suits slide file "));
}

TEST_F(OpenSlide, WhatIsNoSlideIsRefused) {
  put_file(folder_ / "text.svs", "no slide");
  EXPECT_THAT(fault(folder_ / "text.svs"), HasSubstr("text.svs is no slide of a format that OpenSlide knows"));
  put_file(folder_ / "empty.ndpi", "");
  EXPECT_THAT(fault(folder_ / "empty.ndpi"), HasSubstr("empty.ndpi"));
  put_file(folder_ / "alone.mrxs", "its data are elsewhere");
  EXPECT_THAT(fault(folder_ / "alone.mrxs"), HasSubstr("alone.mrxs"));
  EXPECT_THAT(fault(written("strips.svs", false)), HasSubstr("strips.svs"));
  EXPECT_THAT(fault(folder_ / "none.svs"), HasSubstr("there is no slide file "));
}

TEST_F(OpenSlide, ADamagedTileIsToldOfWhenItIsRead) {
  const fs::path file = written("a.svs");
  std::fstream bytes(file, std::ios::binary | std::ios::in | std::ios::out);
  bytes.seekp(40);  // inside the first tile
  bytes << std::string(300, '\xff');
  bytes.close();
  const auto slide = opener_.open(file);
  const Image out({width, height}, 3);
  EXPECT_THAT(error_and_hint_of([&] {
                slide->read({0, 0, width, height}, out.view());
              }),
              AllOf(HasSubstr("a.svs: OpenSlide could not read region 0, 0 of 100 x 80 pixels of level 0"),
                    HasSubstr("is the file damaged")));
}

TEST_F(OpenSlide, DamagedFilesAreReadOrRefused) {
  std::string sound;
  {
    std::ifstream in(written("sound.svs"), std::ios::binary);
    sound.assign(std::istreambuf_iterator<char>(in), {});
  }
  const fs::path file = folder_ / "x.svs";
  const Damage damage{"", {std::string(4, '\0'), "\xff\xff\xff\xff", "\x7f\xff\xff\xff"}, 1};
  const Outcomes found = read_damaged(300, {sound}, damage, HasSubstr("x.svs"), [&](const std::string& bytes) {
    put_file(file, bytes);
    const auto slide = opener_.open(file, "openslide");
    const Region r = Region{0, 0, 100, 80}.clipped({0, 0, slide->size().width, slide->size().height});
    const Image out(r.size(), 3);
    slide->read(r, out.view());
  });
  EXPECT_GT(found.refused, 50);
  EXPECT_GT(found.read, 10);
}

TEST_F(OpenSlide, RegionsOutsideAreRefused) {
  const auto slide = opener_.open(written("a.svs"));
  const Image out({8, 8}, 3);
  for (const Region& r : {Region{-1, 0, 8, 8}, Region{93, 0, 8, 8}, Region{0, 73, 8, 8}, Region{0, 0, 9, 8}})
    EXPECT_THROW(slide->read(r, out.view()), Error);
  EXPECT_THROW(slide->read_level(1, {0, 0, 8, 8}, out.view()), Error);
}

// OpenSlide itself, asked from here, is what every pixel of a real slide must be.
TEST_F(OpenSlide, RealSlidesAreReadAsOpenSlideReadsThem) {
  const fs::path folder = shared_data() / "slides";
  if (!fs::is_directory(folder)) GTEST_SKIP() << no_shared_data;
  for (const char* name : {"cmu-1-small-region.svs", "tcga-cr-7395-01a-01-ts1.svs"}) {
    SCOPED_TRACE(name);
    const auto slide = opener_.open(folder / name, "openslide");
    const std::unique_ptr<openslide_t, decltype(&openslide_close)> theirs(openslide_open((folder / name).c_str()),
                                                                          &openslide_close);
    ASSERT_NE(theirs, nullptr);
    ASSERT_EQ(static_cast<int>(slide->header().levels.size()), openslide_get_level_count(theirs.get()));
    const Region r{700, 900, 301, 257};
    const Image out(r.size(), 3);
    slide->read(r, out.view());
    std::vector<std::uint32_t> argb(static_cast<std::size_t>(r.size().area()));
    openslide_read_region(theirs.get(), argb.data(), r.x, r.y, 0, r.width, r.height);
    for (std::int64_t i = 0; i < r.size().area(); ++i) {
      const std::uint32_t p = argb[static_cast<std::size_t>(i)];
      ASSERT_EQ(p >> 24, 255U);
      for (int c = 0; c < 3; ++c)
        ASSERT_EQ(out.view().row<std::uint8_t>(i / r.width)[3 * (i % r.width) + c], p >> (16 - 8 * c) & 255) << i;
    }
  }
  EXPECT_THAT(fault(folder / "broken.svs"), HasSubstr("broken.svs is no slide of a format that OpenSlide knows"));
}

}  // namespace
}  // namespace nephron::host
