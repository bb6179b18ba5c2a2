#include <host/pictures/map_tiff.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <vector>

#include <gtest/gtest.h>

#include <nephron/error.hpp>

#include <host/pictures/tiff_handle.hpp>

#include <tests/support/scratch_folder.hpp>

namespace nephron::host {
namespace {

Image slopes(Size size) {
  Image out(size, 1, Depth::f32);
  for (std::int64_t y = 0; y < size.height; ++y)
    for (std::int64_t x = 0; x < size.width; ++x)
      out.view().row<float>(y)[x] = static_cast<float>((x * 7 + y * 13) % 1001) / 1000.0F;
  return out;
}

void write(const std::filesystem::path& file, const Image& map, const MapTiffOptions& options, std::int64_t rows) {
  MapTiff out(file, map.size(), options);
  for (std::int64_t y = 0; y < map.size().height; y += rows)
    out.write(map.view().crop({0, y, map.size().width, std::min(rows, map.size().height - y)}));
  EXPECT_FALSE(std::filesystem::exists(file)) << "appears once it is whole";
  out.finish("probabilities");
}

/// The pictures of a TIFF, as libtiff reads their tiles, as numbers from 0 to 1.
std::vector<Image> pictures_of(const std::filesystem::path& file) {
  const TiffHandle tiff(file, "r", file.string());
  std::vector<Image> out;
  do {
    std::uint32_t width = 0, height = 0, side = 0;
    std::uint16_t bits = 0;
    TIFFGetField(tiff.get(), TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(tiff.get(), TIFFTAG_IMAGELENGTH, &height);
    TIFFGetField(tiff.get(), TIFFTAG_TILEWIDTH, &side);
    TIFFGetField(tiff.get(), TIFFTAG_BITSPERSAMPLE, &bits);
    const Image& picture = out.emplace_back(Size{width, height}, 1, Depth::f32);
    std::vector<std::uint8_t> tile(static_cast<std::size_t>(TIFFTileSize(tiff.get())));
    for (std::uint32_t y = 0; y < height; y += side)
      for (std::uint32_t x = 0; x < width; x += side) {
        EXPECT_GT(TIFFReadTile(tiff.get(), tile.data(), x, y, 0, 0), 0);
        for (std::uint32_t j = 0; j < std::min(side, height - y); ++j)
          for (std::uint32_t i = 0; i < std::min(side, width - x); ++i) {
            const std::size_t at = j * side + i;
            picture.view().row<float>(y + j)[x + i] =
                bits == 8 ? static_cast<float>(tile[at]) / 255.0F
                          : static_cast<float>(reinterpret_cast<const _Float16*>(tile.data())[at]);
          }
      }
  } while (TIFFReadDirectory(tiff.get()) != 0);
  return out;
}

TEST(MapTiff, HoldsTheMapAndItsReductions) {
  const ScratchFolder scratch("map_tiff");
  const Image map = slopes({1300, 1037});
  for (const auto& [depth, tolerance] :
       {std::pair{MapDepth::bytes, 0.5 / 255 + 1e-6}, std::pair{MapDepth::halves, 5e-4}})
    for (const std::int64_t rows : {1, 64, 2000}) {
      const std::filesystem::path file = scratch.path() / ("map" + std::to_string(rows) + ".tif");
      std::filesystem::remove(file);
      write(file, map, {depth, 0.5}, rows);
      const std::vector<Image> levels = pictures_of(file);
      ASSERT_EQ(levels.size(), 3U);
      EXPECT_EQ(levels[0].size(), map.size());
      EXPECT_EQ(levels[1].size(), (Size{650, 518}));
      EXPECT_EQ(levels[2].size(), (Size{325, 259}));
      double worst = 0;
      for (std::int64_t y = 0; y < map.size().height; ++y)
        for (std::int64_t x = 0; x < map.size().width; ++x)
          worst = std::max<double>(worst, std::abs(levels[0].view().row<float>(y)[x] - map.view().row<float>(y)[x]));
      EXPECT_LT(worst, tolerance);
      for (std::size_t i = 1; i < levels.size(); ++i)
        for (std::int64_t y = 0; y < levels[i].size().height; ++y)
          for (std::int64_t x = 0; x < levels[i].size().width; ++x) {
            const auto at = [&](std::int64_t dx, std::int64_t dy) {
              return levels[i - 1].view().row<float>(2 * y + dy)[2 * x + dx];
            };
            const float mean = (at(0, 0) + at(1, 0) + at(0, 1) + at(1, 1)) / 4;
            ASSERT_NEAR(levels[i].view().row<float>(y)[x], mean, tolerance) << i << ": " << x << ", " << y;
          }
    }
}

TEST(MapTiff, AMapOfOneTileHasNoReduction) {
  const ScratchFolder scratch("map_tiff");
  write(scratch.path() / "small.tif", slopes({3, 500}), {}, 100);
  EXPECT_EQ(pictures_of(scratch.path() / "small.tif").size(), 1U);
}

TEST(MapTiff, WhatIsNotFinishedLeavesNothing) {
  const ScratchFolder scratch("map_tiff");
  {
    MapTiff out(scratch.path() / "half.tif", {600, 600}, {});
    out.write(slopes({600, 100}).view());
  }
  EXPECT_TRUE(std::filesystem::is_empty(scratch.path()));
  EXPECT_THROW(MapTiff(scratch.path() / "no" / "folder.tif", {10, 10}, {}), Error);
}

}  // namespace
}  // namespace nephron::host
