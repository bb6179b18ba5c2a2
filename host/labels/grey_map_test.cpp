// Probability maps of PNG and TIFF files, damaged ones among them.
#include <host/labels/grey_map.hpp>

#include <fstream>

#include <gtest/gtest.h>
#include <tiffio.h>

#include <nephron/error.hpp>
#include <nephron/rng.hpp>

#include <host/pictures/png.hpp>
#include <host/util/files.hpp>
#include <host/view/pyramid_grid.hpp>
#include <tests/support/scratch_folder.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;

const Stop never = [] { return false; };

/// A tile of the viewer.
Image grey_tile(const GreyMap& map, Size slide, const PyramidGrid::Place& place) {
  return grey_part(map, slide, place.region, place.size, never);
}

std::uint8_t value_at(std::int64_t x, std::int64_t y) { return static_cast<std::uint8_t>((x / 8 + y / 8) % 256); }

Image painted(Size size, int by = 1) {
  Image out(size, 1);
  for (std::int64_t y = 0; y < size.height; ++y)
    for (std::int64_t x = 0; x < size.width; ++x) out.view().row<std::uint8_t>(y)[x] = value_at(x * by, y * by);
  return out;
}

void write_page(TIFF* t, Size size, int by, bool leave_out_second) {
  TIFFSetField(t, TIFFTAG_IMAGEWIDTH, static_cast<std::uint32_t>(size.width));
  TIFFSetField(t, TIFFTAG_IMAGELENGTH, static_cast<std::uint32_t>(size.height));
  TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, 8);
  TIFFSetField(t, TIFFTAG_SAMPLESPERPIXEL, 1);
  TIFFSetField(t, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
  TIFFSetField(t, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
  TIFFSetField(t, TIFFTAG_COMPRESSION, COMPRESSION_ADOBE_DEFLATE);
  TIFFSetField(t, TIFFTAG_TILEWIDTH, 256);
  TIFFSetField(t, TIFFTAG_TILELENGTH, 256);
  const Image whole = painted({(size.width + 255) / 256 * 256, (size.height + 255) / 256 * 256}, by);
  std::uint32_t number = 0;
  for (std::int64_t y = 0; y < size.height; y += 256)
    for (std::int64_t x = 0; x < size.width; x += 256, ++number) {
      if (leave_out_second && number == 1) continue;
      const Image tile({256, 256}, 1);
      copy(whole.view().crop({x, y, 256, 256}), tile.view());
      ASSERT_GT(TIFFWriteEncodedTile(t, number, tile.view().data, 256 * 256), 0);
    }
  ASSERT_EQ(TIFFWriteDirectory(t), 1);
}

void write_tiff(const fs::path& file, bool leave_out_second = false) {
  TIFF* const t = TIFFOpen(file.c_str(), "w");
  ASSERT_NE(t, nullptr);
  write_page(t, {1000, 600}, 1, leave_out_second);
  write_page(t, {500, 300}, 2, false);
  TIFFClose(t);
}

class GreyMaps : public testing::Test {
 protected:
  ScratchFolder scratch_{"grey-map"};
  fs::path png_ = scratch_.path() / "map.png", tiff_ = scratch_.path() / "map.tif";
};

void expect_tiles(const GreyMap& map) {
  const PyramidGrid grid({1000, 600});
  for (int depth = 0; depth <= grid.deepest(); ++depth)
    for (std::int64_t y = 0; y < grid.down(depth); ++y)
      for (std::int64_t x = 0; x < grid.across(depth); ++x) {
        const auto place = grid.place(depth, x, y);
        const Image tile = grey_tile(map, grid.slide(), *place);
        ASSERT_EQ(tile.size(), place->size);
        const std::int64_t half = (std::int64_t{1} << depth) / 2;
        EXPECT_NEAR(tile.view().row<std::uint8_t>(0)[0], value_at(place->region.x + half, place->region.y + half), 1);
      }
}

TEST_F(GreyMaps, APngIsHeld) {
  write_png(png_, painted({1000, 600}).view());
  const auto map = open_grey_map(png_, never);
  EXPECT_EQ(map->size(), (Size{1000, 600}));
  EXPECT_EQ(map->levels().size(), 3U);
  EXPECT_GT(map->held_bytes(), 600000U);
  expect_tiles(*map);
}

TEST_F(GreyMaps, ATiledTiffIsReadByTilesAndLevels) {
  write_tiff(tiff_);
  const auto map = open_grey_map(tiff_, never);
  EXPECT_EQ(map->levels(), (std::vector<Size>{{1000, 600}, {500, 300}}));
  EXPECT_LE(map->held_bytes(), std::size_t{1} << 20);
  expect_tiles(*map);
}

TEST_F(GreyMaps, AnAbsentTileIsZero) {
  write_tiff(tiff_, true);
  const auto map = open_grey_map(tiff_, never);
  const PyramidGrid grid({1000, 600});
  const Image tile = grey_tile(*map, grid.slide(), *grid.place(0, 1, 0));
  for (std::int64_t x = 0; x < 256; ++x) EXPECT_EQ(tile.view().row<std::uint8_t>(9)[x], 0);
  EXPECT_EQ(grey_tile(*map, grid.slide(), *grid.place(0, 2, 0)).view().row<std::uint8_t>(0)[0], value_at(512, 0));
}

TEST_F(GreyMaps, HalvesAreProbabilities) {
  TIFF* const t = TIFFOpen(tiff_.c_str(), "w");
  ASSERT_NE(t, nullptr);
  const std::vector<std::pair<int, std::uint32_t>> tags{
      {TIFFTAG_IMAGEWIDTH, 256},    {TIFFTAG_IMAGELENGTH, 256}, {TIFFTAG_BITSPERSAMPLE, 16},
      {TIFFTAG_SAMPLESPERPIXEL, 1}, {TIFFTAG_TILEWIDTH, 256},   {TIFFTAG_TILELENGTH, 256},
      {TIFFTAG_PLANARCONFIG, 1},    {TIFFTAG_PHOTOMETRIC, 1},   {TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_IEEEFP}};
  for (const auto& [tag, value] : tags) TIFFSetField(t, static_cast<std::uint32_t>(tag), value);
  std::vector<std::uint16_t> halves(256 * 256, 0x3800);  // 0.5
  halves[1] = 0x3c00;                                    // 1
  halves[2] = 0;
  ASSERT_GT(TIFFWriteEncodedTile(t, 0, halves.data(), 256 * 256 * 2), 0);
  TIFFClose(t);
  const auto map = open_grey_map(tiff_, never);
  const PyramidGrid grid({256, 256});
  const Image tile = grey_tile(*map, grid.slide(), *grid.place(0, 0, 0));
  const auto* const row = tile.view().row<const std::uint8_t>(0);
  EXPECT_NEAR(row[0], 127.5, 0.51);
  EXPECT_EQ(row[1], 255);
  EXPECT_EQ(row[2], 0);
}

TEST_F(GreyMaps, AReducedMapCoversTheSlide) {
  write_png(png_, painted({500, 300}, 2).view());
  expect_tiles(*open_grey_map(png_, never));
}

TEST_F(GreyMaps, WhatIsNoMapIsAnErrorThatNamesTheFile) {
  write_png(png_, Image({20, 20}, 3).view());
  std::ofstream(tiff_) << "no tiff";
  for (const fs::path& file : {png_, tiff_, scratch_.path() / "absent.png"}) try {
      open_grey_map(file, never);
      ADD_FAILURE() << file;
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find(file.filename().string()), std::string::npos) << e.what();
    }
}

TEST_F(GreyMaps, DamagedFilesAreErrorsOrMaps) {
  write_tiff(tiff_);
  write_png(png_, painted({300, 200}).view());
  Rng rng(1, "damaged maps");
  const auto below = [&](std::size_t n) {
    return static_cast<std::size_t>(rng.integer(0, static_cast<std::int64_t>(n) - 1));
  };
  for (const fs::path& file : {tiff_, png_}) {
    const std::string good = read_file(file);
    for (int i = 0; i < 150; ++i) {
      std::string bad = good;
      if (i % 3 == 0) bad.resize(below(bad.size()));
      else
        for (int n = 0; n < 4; ++n) bad[below(i % 3 == 1 ? 400 : bad.size())] = static_cast<char>(below(256));
      const fs::path damaged = scratch_.path() / ("damaged" + file.extension().string());
      std::ofstream(damaged, std::ios::binary) << bad;
      try {
        const auto map = open_grey_map(damaged, never);
        const PyramidGrid grid({1000, 600});
        grey_tile(*map, grid.slide(), *grid.place(0, 1, 1));
        grey_tile(*map, grid.slide(), *grid.place(grid.deepest(), 0, 0));
      } catch (const Error&) {}
    }
  }
}

}  // namespace
}  // namespace nephron::host
