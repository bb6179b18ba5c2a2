#include <cstring>
#include <fstream>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nephron/error.hpp>
#include <nephron/label_pixels.hpp>

#include <host/store/mapped_tiff.hpp>
#include <host/store/tiff_directory.hpp>
#include <host/store/tiff_writer.hpp>
#include <host/util/files.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class StoreTiff : public testing::Test {
 protected:
  StoreTiff() : file_(fs::temp_directory_path() / ("nephron_tiff_" + std::to_string(getpid()) + ".tiff")) {}
  ~StoreTiff() override { fs::remove(file_); }

  static std::uint8_t value(std::size_t picture, std::int64_t x, std::int64_t y, int c) {
    return static_cast<std::uint8_t>(37 * picture + 7 * static_cast<std::size_t>(x) + 13 * static_cast<std::size_t>(y) +
                                     static_cast<std::size_t>(c));
  }
  /// Two pictures of 3 channels and one of 1; tile (1, 0) of the last is left out when sparse.
  void write(bool sparse) {
    const std::vector<TiffWriter::Picture> pictures{
        {{1100, 700}, 3, 0.5, "first"}, {{550, 350}, 3, 1, ""}, {{600, 30}, 1, 0, "x"}};
    TiffWriter writer(file_, pictures, sparse);
    for (std::size_t p = 0; p < pictures.size(); ++p) {
      const TiffTiles grid(pictures[p].size);
      const int channels = pictures[p].channels;
      std::vector<std::uint8_t> tile(static_cast<std::size_t>(tile_side * tile_side * channels));
      for (std::int64_t row = 0; row < grid.down; ++row)
        for (std::int64_t column = 0; column < grid.across; ++column) {
          if (sparse && p == 2 && column == 1) continue;
          for (std::int64_t i = 0; i < tile_side * tile_side; ++i)
            for (int c = 0; c < channels; ++c)
              tile[static_cast<std::size_t>(i * channels + c)] =
                  value(p, column * tile_side + i % tile_side, row * tile_side + i / tile_side, c);
          if (sparse) writer.place_tile(p, column, row);
          writer.write_tile(p, column, row, tile.data());
        }
    }
    const std::int64_t bytes = writer.finish();
    EXPECT_EQ(bytes, static_cast<std::int64_t>(fs::file_size(file_)));
  }

  fs::path file_;
};

TEST_F(StoreTiff, WhatIsWrittenIsReadBack) {
  for (const bool sparse : {false, true}) {
    write(sparse);
    const MappedTiff tiff(file_);
    ASSERT_EQ(tiff.pictures().size(), 3U);
    EXPECT_EQ(tiff.pictures()[0].description, "first");
    EXPECT_EQ(tiff.pictures()[1].size, (Size{550, 350}));
    std::mt19937 random(4);
    for (int n = 0; n < 200; ++n) {
      const std::size_t p = random() % 3;
      const Size size = tiff.pictures()[p].size;
      const int channels = tiff.pictures()[p].channels;
      Region r{static_cast<std::int64_t>(random()) % size.width, static_cast<std::int64_t>(random()) % size.height, 0,
               0};
      r.width = 1 + static_cast<std::int64_t>(random()) % (size.width - r.x);
      r.height = 1 + static_cast<std::int64_t>(random()) % (size.height - r.y);
      const Image image(r.size(), channels);
      tiff.read(p, r, image.view());
      for (int k = 0; k < 50; ++k) {
        const std::int64_t x = static_cast<std::int64_t>(random()) % r.width,
                           y = static_cast<std::int64_t>(random()) % r.height;
        const bool blank = sparse && p == 2 && r.x + x >= tile_side;
        ASSERT_EQ(image.view().row<std::uint8_t>(y)[x * channels], blank ? 0 : value(p, r.x + x, r.y + y, 0));
      }
    }
    EXPECT_TRUE(tiff.any(2, {0, 0, 600, 30}, 1));
    EXPECT_EQ(tiff.any(2, {512, 0, 88, 30}, 255), !sparse);
    EXPECT_THROW(tiff.read(0, {1000, 0, 101, 1}, Image({101, 1}, 3).view()), Error);
  }
}

TEST_F(StoreTiff, AboveFourGigabytesItIsABigTiff) {
  {  // 37,888^2 px of three channels are 4.3 GB; only their last tile is written
    const std::int64_t side = 74 * tile_side;
    TiffWriter writer(file_, {{{side, side}, 3, 0.25, ""}}, false);
    const std::vector<std::uint8_t> tile(static_cast<std::size_t>(tile_side * tile_side * 3), 200);
    writer.write_tile(0, 73, 73, tile.data());
    writer.finish();
  }
  const MappedTiff tiff(file_);
  std::string head(4, '\0');
  std::ifstream(file_, std::ios::binary).read(head.data(), 4);
  EXPECT_EQ(head, (std::string{"II\x2b\0", 4}));
  const Image image({2, 1}, 3);
  tiff.read(0, {74 * tile_side - 2, 74 * tile_side - 1, 2, 1}, image.view());
  EXPECT_EQ(image.view().row<std::uint8_t>(0)[5], 200);
}

TEST_F(StoreTiff, ACutFileIsNoticedWhenItIsOpened) {
  write(false);
  const auto size = fs::file_size(file_);
  for (const std::uintmax_t cut : {std::uintmax_t{0}, std::uintmax_t{3}, std::uintmax_t{9}, std::uintmax_t{5000},
                                   size / 2, size - 300, size - 16}) {
    write(false);
    fs::resize_file(file_, cut);
    try {
      MappedTiff tiff(file_);
      ADD_FAILURE() << "cut to " << cut;
    } catch (const Error& e) {
      EXPECT_THAT(e.what(), HasSubstr(file_.string()));
      EXPECT_FALSE(e.hint().empty());
    }
  }
  fs::remove(file_);
  EXPECT_THROW(MappedTiff tiff(file_), Error);
}

// Whatever the bytes say, either they are refused or every tile lies inside of them.
TEST_F(StoreTiff, DamagedDirectoriesNeverLeadOutOfTheFile) {
  write(true);
  const std::string good = read_file(file_);
  const std::span<const std::uint8_t> bytes(reinterpret_cast<const std::uint8_t*>(good.data()), good.size());
  std::uint32_t first = 0;
  std::memcpy(&first, good.data() + 4, 4);
  std::vector<std::uint8_t> damaged(bytes.begin(), bytes.end());
  std::mt19937 random(5);
  int accepted = 0, refused = 0;
  for (int n = 0; n < 8000; ++n) {
    std::vector<std::pair<std::size_t, std::uint8_t>> undo;
    for (std::uint32_t k = 0; k < 1 + random() % 3; ++k) {
      const std::size_t at = random() % 8 == 0 ? random() % 8 : first + random() % (good.size() - first);
      undo.emplace_back(at, damaged[at]);
      damaged[at] = random() % 2 == 0 ? static_cast<std::uint8_t>(random())
                                      : static_cast<std::uint8_t>(random() % 2 == 0 ? 0 : 255);
    }
    const std::size_t size = random() % 4 == 0 ? good.size() - random() % 400 : good.size();
    try {
      for (const auto& p : read_directories({damaged.data(), size}, file_)) {
        const TiffTiles grid(p.size);
        ASSERT_EQ(p.offsets.size(), static_cast<std::size_t>(grid.count()));
        for (const std::uint64_t offset : p.offsets)
          ASSERT_LE(offset + static_cast<std::uint64_t>(tile_side * tile_side * p.channels), size);
      }
      ++accepted;
    } catch (const Error& e) {
      ++refused;
      ASSERT_THAT(e.what(), HasSubstr(file_.string()));
    }
    for (auto u = undo.rbegin(); u != undo.rend(); ++u) damaged[u->first] = u->second;
  }
  EXPECT_GT(accepted, 100);  // bytes of a resolution do no harm
  EXPECT_GT(refused, 1000);
  for (int n = 0; n < 2000; ++n) {
    std::vector<std::uint8_t> noise(random() % 300);
    for (auto& b : noise) b = static_cast<std::uint8_t>(random());
    if (noise.size() > 4) noise[0] = noise[1] = 'I', noise[2] = n % 2 == 0 ? 42 : 43, noise[3] = 0;
    EXPECT_THROW(read_directories(noise, file_), Error);
  }
}

TEST_F(StoreTiff, AFullDiskIsSaidWithWhatToDo) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
  const OutputFile out("/dev/full");
  try {
    out.write_at(0, "x", 1);
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), testing::AllOf(HasSubstr("/dev/full"), HasSubstr("No space left")));
    EXPECT_THAT(e.hint(), HasSubstr("make room"));
  }
}

TEST_F(StoreTiff, PixelsMayBeWider) {
  const Size size{700, 530};
  for (const Depth depth : {Depth::u16, Depth::u32}) {
    {
      TiffWriter writer(file_, {{size, 1, 0, "wide", static_cast<int>(bytes_of(depth))}}, true);
      const Image tile({tile_side, tile_side}, 1, depth);
      with_label_type(depth, [&](auto zero) {
        for (std::int64_t y = 0; y < tile_side; ++y)
          for (std::int64_t x = 0; x < tile_side; ++x)
            tile.view().row<decltype(zero)>(y)[x] = static_cast<decltype(zero)>(y == 9 && x == 17 ? 1U << 13 : 0U);
      });
      EXPECT_THROW(writer.write_tile(0, 1, 0, tile.view().row<const std::uint8_t>(0)), Error) << "it has no place";
      writer.place_tile(0, 1, 0);
      writer.write_tile(0, 1, 0, tile.view().row<const std::uint8_t>(0));
      writer.finish();
    }
    const MappedTiff tiff(file_);
    ASSERT_EQ(tiff.pictures()[0].depth, depth);
    const Image part({40, 30}, 1, depth);
    tiff.read(0, {tile_side - 10, 0, 40, 30}, part.view());
    with_label_type(depth, [&](auto zero) {
      for (std::int64_t y = 0; y < 30; ++y)
        for (std::int64_t x = 0; x < 40; ++x)
          EXPECT_EQ(part.view().row<decltype(zero)>(y)[x], y == 9 && x == 27 ? 1U << 13 : 0U);
    });
    EXPECT_TRUE(tiff.any(0, {tile_side, 0, 40, 30}, 1U << 13));
    EXPECT_FALSE(tiff.any(0, {tile_side, 0, 40, 30}, 1U << 12));
    EXPECT_FALSE(tiff.any(0, {tile_side, 0, 17, 30}, 1U << 13));
    EXPECT_THROW(tiff.read(0, {0, 0, 40, 30}, Image({40, 30}, 1).view()), Error);
  }
}

}  // namespace
}  // namespace nephron::host
