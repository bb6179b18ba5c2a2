// The reader through the host's opener: damaged files, sizes that cannot be, memory, threads. Pixels against tifffile
// and OpenSlide: tests/parity/slides.
#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <tiffio.h>
#include <unistd.h>
#include <opencv2/imgcodecs.hpp>

#include <nephron/rng.hpp>

#include <host/plugins/guard.hpp>
#include <host/slides/opener.hpp>

#include <tests/support/put_file.hpp>
#include <tests/support/scratch_folder.hpp>
#include "chunk_cache.hpp"

namespace nephron::host {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr int width = 100, height = 80;

std::uint8_t pixel(int x, int y, int c) { return static_cast<std::uint8_t>(7 * x + 13 * y + 50 * c + x * y / 9); }

/// What is to be written; the picture is pixel() throughout.
struct Written {
  std::uint16_t compression = COMPRESSION_NONE;
  bool tiled = true;
  bool separate = false;
  int channels = 3;
  int pages = 1;
  int first_channel = 0;
  const char* mode = "w";
  const char* description = nullptr;
  std::uint16_t photometric = PHOTOMETRIC_RGB;
  int bits = 8;
  bool smaller = false;  ///< a level of half the size as a SubIFD
};

void set_fields(TIFF* tiff, const Written& w, int wide, int high) {
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, wide);
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, high);
  TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, w.channels);
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, w.bits);
  TIFFSetField(tiff, TIFFTAG_COMPRESSION, w.compression);
  TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, w.photometric);
  TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, w.separate ? PLANARCONFIG_SEPARATE : PLANARCONFIG_CONTIG);
  if (w.compression == COMPRESSION_JPEG && w.photometric == PHOTOMETRIC_YCBCR)
    TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
  if (w.tiled) {
    TIFFSetField(tiff, TIFFTAG_TILEWIDTH, 32);
    TIFFSetField(tiff, TIFFTAG_TILELENGTH, 32);
  } else {
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, 16);
  }
}

std::vector<std::uint8_t> samples(const Written& w, int page, int plane, int x0, int y0, int wide, int high) {
  std::vector<std::uint8_t> out;
  const int in_pixel = w.separate ? 1 : w.channels;
  for (int y = y0; y < y0 + high; ++y)
    for (int x = x0; x < x0 + wide; ++x)
      for (int c = 0; c < in_pixel; ++c) {
        const std::uint8_t v = pixel(x, y, w.separate ? plane : w.pages > 1 ? page : c);
        if (w.bits == 16) out.push_back(v);
        out.push_back(v);
      }
  return out;
}

void write_pixels(TIFF* tiff, const Written& w, int page, int wide, int high) {
  for (int plane = 0; plane < (w.separate ? w.channels : 1); ++plane) {
    const int step = w.tiled ? 32 : 16;
    for (int y = 0; y < high; y += step)
      for (int x = 0; x < (w.tiled ? wide : 1); x += 32) {
        auto bytes = samples(w, page, plane, x, y, w.tiled ? 32 : wide, w.tiled ? 32 : std::min(16, high - y));
        const auto index =
            w.tiled ? TIFFComputeTile(tiff, static_cast<std::uint32_t>(x), static_cast<std::uint32_t>(y), 0,
                                      static_cast<std::uint16_t>(plane))
                    : TIFFComputeStrip(tiff, static_cast<std::uint32_t>(y), static_cast<std::uint16_t>(plane));
        if (w.compression == 33005) {
          std::vector<std::uint8_t> coded;
          cv::imencode(".jp2", cv::Mat(32, 32, CV_8UC3, bytes.data()), coded);
          const std::uint8_t start[] = {0xff, 0x4f, 0xff, 0x51};
          const auto at = std::search(coded.begin(), coded.end(), std::begin(start), std::end(start));
          std::vector<std::uint8_t> stream(at, coded.end());
          ASSERT_GT(TIFFWriteRawTile(tiff, index, stream.data(), static_cast<tmsize_t>(stream.size())), 0);
        } else if (w.tiled) {
          ASSERT_GT(TIFFWriteEncodedTile(tiff, index, bytes.data(), static_cast<tmsize_t>(bytes.size())), 0);
        } else {
          ASSERT_GT(TIFFWriteEncodedStrip(tiff, index, bytes.data(), static_cast<tmsize_t>(bytes.size())), 0);
        }
      }
  }
}

void write(const fs::path& file, const Written& w) {
  TIFF* tiff = TIFFOpen(file.c_str(), w.mode);
  ASSERT_NE(tiff, nullptr);
  for (int page = 0; page < w.pages; ++page) {
    set_fields(tiff, w, width, height);
    if (w.description != nullptr && page == 0) TIFFSetField(tiff, TIFFTAG_IMAGEDESCRIPTION, w.description);
    const std::uint64_t none[1] = {0};
    if (w.smaller) TIFFSetField(tiff, TIFFTAG_SUBIFD, 1, none);
    write_pixels(tiff, w, page, width, height);
    TIFFWriteDirectory(tiff);
    if (!w.smaller) continue;
    set_fields(tiff, w, width / 2, height / 2);
    TIFFSetField(tiff, TIFFTAG_SUBFILETYPE, FILETYPE_REDUCEDIMAGE);
    write_pixels(tiff, w, page, width / 2, height / 2);
    TIFFWriteDirectory(tiff);
  }
  TIFFClose(tiff);
}

std::string bytes_of_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A classic TIFF by hand: entries of type LONG, and a file of any length.
void write_by_hand(const fs::path& file, const std::vector<std::pair<std::uint16_t, std::uint32_t>>& entries,
                   std::uint64_t length) {
  std::string out("II*\0\x08\0\0\0", 8);
  const auto put = [&](std::uint32_t v, int count) {
    for (int i = 0; i < count; ++i) out.push_back(static_cast<char>(v >> (8 * i)));
  };
  put(static_cast<std::uint32_t>(entries.size()), 2);
  for (const auto& [tag, value] : entries) put(tag, 2), put(4, 2), put(1, 4), put(value, 4);
  put(0, 4);
  std::ofstream(file, std::ios::binary) << out;
  if (length > out.size()) fs::resize_file(file, length);
}

long peak_megabytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

class Tiff : public testing::Test {
 protected:
  static PluginSearch search() {
    PluginSearch out;
    out.command_line = {NEPHRON_PLUGIN_FILE};
    out.folders = false;
    return out;
  }
  fs::path made(const Written& w, const std::string& name = "slide.tif") {
    write(folder_ / name, w);
    return folder_ / name;
  }
  /// The error of opening, or of reading all of level 0.
  std::string error_of(const fs::path& file, const std::string& reader = "tiff") {
    try {
      const auto slide = opener_.open(file, reader);
      const Image out(
          {std::min<std::int64_t>(slide->size().width, 64), std::min<std::int64_t>(slide->size().height, 64)}, 3);
      slide->read({0, 0, out.size().width, out.size().height}, out.view());
    } catch (const Error& e) {
      return std::string(e.what()) + " | " + e.hint();
    }
    return "";
  }
  void expect_pixels(const SlideFile& slide) {
    const Image out({width, height}, 3);
    slide.read({0, 0, width, height}, out.view());
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x)
        for (int c = 0; c < 3; ++c)
          ASSERT_EQ(out.view().row<std::uint8_t>(y)[3 * x + c], pixel(x, y, c)) << x << ", " << y;
  }

  const ScratchFolder scratch_{"tiff"};
  const fs::path& folder_ = scratch_.path();
  Registry registry_{search()};
  ReaderOpener opener_{registry_};
};

const std::vector<Written>& layouts() {
  static const std::vector<Written> all{
      {},
      {.compression = COMPRESSION_LZW, .tiled = false},
      {.compression = COMPRESSION_ADOBE_DEFLATE, .separate = true},
      {.compression = COMPRESSION_JPEG, .photometric = PHOTOMETRIC_YCBCR},
      {.compression = COMPRESSION_ZSTD, .mode = "w8"},
      {.compression = COMPRESSION_NONE, .tiled = false, .mode = "wb"},
      {.tiled = false, .channels = 1, .pages = 3, .photometric = PHOTOMETRIC_MINISBLACK},
      {.compression = COMPRESSION_LZW,
       .channels = 1,
       .pages = 3,
       .description =
           "<?xml version=\"1.0\"?><OME><Image><Pixels DimensionOrder=\"XYCZT\" SizeX=\"100\" SizeY=\"80\" SizeC=\"3\" "
           "SizeZ=\"1\" SizeT=\"1\" PhysicalSizeX=\"0.5\"><TiffData IFD=\"0\" "
           "PlaneCount=\"3\"/></Pixels></Image></OME>",
       .photometric = PHOTOMETRIC_MINISBLACK,
       .smaller = true},
      {.compression = COMPRESSION_NONE, .mode = "w8", .description = "Aperio |MPP = 0.25|", .smaller = true},
      {.compression = 33005, .description = "Aperio J2K |MPP = 0.25|"},
  };
  return all;
}

TEST_F(Tiff, ReadsWhatLibtiffWrites) {
  for (std::size_t i = 0; i + 1 < layouts().size(); ++i) {
    if (layouts()[i].compression == COMPRESSION_JPEG) continue;  // with loss
    SCOPED_TRACE(i);
    const auto slide = opener_.open(made(layouts()[i]));
    expect_pixels(*slide);
    EXPECT_EQ(slide->header().levels.size(), layouts()[i].smaller ? 2U : 1U);
  }
}

// Libtiff gives resolutions as floats.
TEST_F(Tiff, PixelsAreAsWideAsTheirWriterSaid) {
  for (const double mpp : {0.9, 0.2527, 1.2, 0.50223}) {
    const fs::path file = made({});
    TIFF* const tiff = TIFFOpen(file.c_str(), "r+");
    TIFFSetField(tiff, TIFFTAG_RESOLUTIONUNIT, RESUNIT_CENTIMETER);
    TIFFSetField(tiff, TIFFTAG_XRESOLUTION, 10000 / mpp);
    TIFFRewriteDirectory(tiff);
    TIFFClose(tiff);
    EXPECT_EQ(opener_.open(file)->header().mpp, mpp);
  }
}

// Memory may lie anywhere in its page: where copying there would be slow, pixels take another way.
TEST_F(Tiff, IntoMemoryAtEveryPlaceOfAPage) {
  const auto slide = opener_.open(made({}));
  constexpr int side = 32, page = 4096;
  std::vector<std::uint8_t> memory(page + 3 * side * side);
  const auto bytes = samples({}, 0, 0, side, side, side, side);
  for (int at = 0; at < page; ++at) {
    slide->read({side, side, side, side}, {memory.data() + at, side, side, 3, Depth::u8, 3 * side});
    ASSERT_TRUE(std::equal(bytes.begin(), bytes.end(), memory.begin() + at)) << at;
  }
}

// Several thousand damaged files: every one gives pixels or one Error that names it; nothing is said on stderr, and
// memory stays within a bound whatever the headers claim.
TEST_F(Tiff, MutatedFiles) {
  std::vector<std::string> sound;
  for (const Written& w : layouts()) sound.push_back(bytes_of_file(made(w)));
  const fs::path file = folder_ / "mutated.svs";
  const long before = peak_megabytes();
  int refused = 0, read = 0;
  testing::internal::CaptureStderr();
  for (std::uint64_t i = 0; i < 4000; ++i) {
    Rng rng(3, "mutations", 0, i);
    std::string bytes = sound[i % sound.size()];
    const auto last = static_cast<std::int64_t>(bytes.size()) - 1;
    for (std::int64_t k = rng.integer(1, 6); k > 0; --k) {
      // Directories stand at the end, or behind the header: they are hit more often than pixels.
      const std::int64_t at = rng.chance(0.2)    ? rng.integer(0, 16)
                              : rng.chance(0.75) ? last - rng.integer(0, std::min<std::int64_t>(last, 900))
                                                 : rng.integer(0, last);
      const std::uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff, static_cast<std::uint8_t>(rng.integer(0, 255))};
      bytes[static_cast<std::size_t>(at)] = static_cast<char>(values[rng.integer(0, 5)]);
    }
    if (rng.chance(0.15)) bytes.resize(static_cast<std::size_t>(rng.integer(0, last)));
    put_file(file, bytes);
    try {
      const auto slide = opener_.open(file, "tiff");
      for (std::size_t l = 0; l < slide->header().levels.size(); ++l) {
        const Size s = slide->header().levels[l].size;
        const Region r{std::max<std::int64_t>(0, s.width - 120), std::max<std::int64_t>(0, s.height - 90),
                       std::min<std::int64_t>(s.width, 120), std::min<std::int64_t>(s.height, 90)};
        const Image out(r.size(), 3);
        slide->read_level(static_cast<int>(l), r, out.view());
      }
      ++read;
    } catch (const Error& e) {
      ++refused;
      EXPECT_EQ(dynamic_cast<const PluginError*>(&e), nullptr) << "mutation " << i << ": " << e.what();
      EXPECT_THAT(e.what(), HasSubstr("mutated.svs")) << "mutation " << i;
    }
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_GT(refused, 500);
  EXPECT_GT(read, 500);
  EXPECT_LT(peak_megabytes() - before, 400);
}

TEST_F(Tiff, HeadersThatClaimTooMuch) {
  const fs::path file = folder_ / "claims.tif";
  const auto claims = [&](std::uint32_t w, std::uint32_t h, std::uint32_t compression, std::uint32_t rows) {
    write_by_hand(
        file,
        {{256, w}, {257, h}, {258, 8}, {259, compression}, {262, 1}, {273, 200}, {277, 1}, {278, rows}, {279, 100}},
        400);
    return error_of(file);
  };
  EXPECT_THAT(claims(46341, 46341, 5, 46341), HasSubstr("claims 46341 x 46341 pixels"));
  EXPECT_THAT(claims(0x7fffffff, 1, 1, 1), HasSubstr("a side may have 16777216"));
  EXPECT_THAT(claims(1 << 20, 1 << 20, 1, 1), HasSubstr("do not fit into a file of 400 bytes"));
  EXPECT_THAT(claims(4000, 4000, 1, 4000), HasSubstr("16000000 bytes at 200, but the file has 400 bytes"));
  EXPECT_THAT(claims(0, 10, 1, 10), HasSubstr("claims.tif"));
  EXPECT_EQ(claims(10, 10, 1, 10), "");
}

TEST_F(Tiff, FilesThatAreCutShort) {
  for (const Written& w : layouts()) {
    const fs::path file = made(w);
    const auto full = fs::file_size(file);
    for (const double part : {0.0, 0.001, 0.3, 0.7, 0.99}) {
      fs::resize_file(file, full);
      write(file, w);
      fs::resize_file(file, static_cast<std::uintmax_t>(static_cast<double>(full) * part));
      EXPECT_THAT(error_of(file), HasSubstr("slide.tif")) << part;
    }
  }
}

TEST_F(Tiff, AFileThatShrinksWhileItIsOpen) {
  const fs::path file = made({});
  const auto slide = opener_.open(file);
  fs::resize_file(file, 2000);
  const Image out({width, height}, 3);
  try {
    slide->read({0, 0, width, height}, out.view());
    FAIL() << "pixels that are gone were read";
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("slide.tif"));
  }
}

// One strip of 3 GB, 50,000 pixels wide: a window costs a window.
TEST_F(Tiff, AWindowOfAHugeStrip) {
  const fs::path file = folder_ / "huge.tif";
  const std::uint32_t w = 50000, h = 20000;
  write_by_hand(file,
                {{256, w}, {257, h}, {258, 8}, {259, 1}, {262, 2}, {273, 4096}, {277, 3}, {278, h}, {279, w * h * 3}},
                4096 + std::uint64_t{w} * h * 3);
  {
    std::fstream out(file, std::ios::binary | std::ios::in | std::ios::out);
    out.seekp(static_cast<std::streamoff>(4096 + (std::uint64_t{19000} * w + 40000) * 3));
    out.write("abc", 3);
  }
  const auto slide = opener_.open(file);
  EXPECT_EQ(slide->size(), (Size{50000, 20000}));
  const long before = peak_megabytes();
  const Image out({700, 700}, 3);
  slide->read({39900, 18900, 700, 700}, out.view());
  EXPECT_EQ(std::string(out.view().row<char>(100) + 300, 3), "abc");
  EXPECT_LT(peak_megabytes() - before, 32);
}

TEST_F(Tiff, SixteenBitsOnRequestAlone) {
  const fs::path file = made({.bits = 16});
  EXPECT_THAT(error_of(file), HasSubstr("page 0 has 16-bit samples, which become 8 bits only on request"));
  EXPECT_THAT(error_of(file), HasSubstr("reader = \"tiff_16bit\""));
  expect_pixels(*opener_.open(file, "tiff_16bit"));
  EXPECT_EQ(opener_.open(file, "tiff_16bit")->header().depth, Depth::u16);
}

TEST_F(Tiff, SaysWhatItCannotRead) {
  EXPECT_THAT(error_of(made({.channels = 4, .photometric = PHOTOMETRIC_SEPARATED})),
              HasSubstr("photometric interpretation 5"));
  EXPECT_THAT(error_of(made({.channels = 1, .pages = 5, .photometric = PHOTOMETRIC_MINISBLACK})),
              HasSubstr("5 pages of one size"));
  EXPECT_THAT(error_of(made({.description = "<OME><Image></OME>"})), HasSubstr("its OME-XML cannot be read: "));
  EXPECT_THAT(
      error_of(made({.description =
                         "<OME><Image><Pixels SizeX=\"9\" SizeY=\"9\" SizeC=\"3\"><Channel SamplesPerPixel=\"3\"/>"
                         "</Pixels></Image></OME>"})),
      HasSubstr("states 9 x 9 pixels, but page 0 has 100 x 80"));
}

TEST_F(Tiff, RegionsOutsideAreRefused) {
  const auto slide = opener_.open(made({}));
  const Image out({8, 8}, 3);
  for (const Region& r : {Region{-1, 0, 8, 8}, Region{93, 0, 8, 8}, Region{0, 73, 8, 8}, Region{0, 0, 9, 8}})
    EXPECT_THROW(slide->read(r, out.view()), Error);
  EXPECT_THROW(slide->read_level(1, {0, 0, 8, 8}, out.view()), Error);
}

TEST_F(Tiff, SlidesOutliveTheirOpener) {
  std::unique_ptr<SlideFile> slide;
  {
    ReaderOpener opener(registry_);
    slide = opener.open(made({.compression = COMPRESSION_LZW}));
  }
  expect_pixels(*slide);
}

TEST_F(Tiff, ThreadsShareASlide) {
  for (const Written& w : {layouts()[0], layouts()[1], layouts()[2], layouts()[7]}) {
    const auto slide = opener_.open(made(w));
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < 5; ++i) expect_pixels(*slide);
      });
    for (std::thread& t : threads) t.join();
  }
}

TEST(ChunkCacheTest, HoldsNoMoreThanItMay) {
  tiff_reader::ChunkCache cache(1000);
  const std::uint64_t slide = cache.number(), other = cache.number();
  EXPECT_NE(slide, other);
  const auto chunk = [](std::size_t bytes) {
    auto out = std::make_shared<tiff_reader::Chunk>();
    out->bytes.resize(bytes);
    return out;
  };
  for (std::uint64_t i = 0; i < 10; ++i) cache.keep({slide, 0, i}, chunk(300));
  EXPECT_EQ(cache.bytes(), 900U);
  EXPECT_EQ(cache.find({slide, 0, 6}), nullptr);
  EXPECT_NE(cache.find({slide, 0, 7}), nullptr);  // and is now the last used
  cache.keep({other, 0, 7}, chunk(300));
  EXPECT_EQ(cache.find({slide, 0, 8}), nullptr);
  EXPECT_NE(cache.find({slide, 0, 7}), nullptr);
  cache.keep({other, 0, 8}, chunk(2000));
  EXPECT_EQ(cache.find({other, 0, 8}), nullptr);
  cache.forget(slide);
  EXPECT_EQ(cache.bytes(), 300U);
}

}  // namespace
}  // namespace nephron::host
