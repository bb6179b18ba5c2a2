#include <host/pictures/png.hpp>
#include <host/pictures/png_rows.hpp>

#include <algorithm>
#include <cstring>
#include <fstream>

#include <gtest/gtest.h>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <nephron/error.hpp>
#include <nephron/image_cv.hpp>

#include <tests/support/scratch_folder.hpp>

namespace nephron::host {
namespace {

Image pattern(int channels) {
  Image out({37, 23}, channels);
  for (std::int64_t y = 0; y < 23; ++y)
    for (std::int64_t i = 0; i < 37 * channels; ++i)
      out.view().row<std::uint8_t>(y)[i] = static_cast<std::uint8_t>(7 * y + 5 * i);
  return out;
}

TEST(Png, KeepsGreyAndColoursWhateverThePacking) {
  const ScratchFolder scratch("png");
  for (const PngPacking packing : {PngPacking::fast, PngPacking::usual})
    for (const int channels : {1, 3}) {
      const Image image = pattern(channels);
      const std::filesystem::path file = scratch.path() / "a.png";
      write_png(file, image.view(), packing);
      cv::Mat back = cv::imread(file.string(), cv::IMREAD_UNCHANGED);
      ASSERT_EQ(back.channels(), channels);
      if (channels == 3) cv::cvtColor(back, back, cv::COLOR_BGR2RGB);
      for (int y = 0; y < 23; ++y)
        EXPECT_EQ(std::memcmp(back.ptr(y), image.view().row<std::uint8_t>(y), static_cast<std::size_t>(37) * channels),
                  0);
    }
}

TEST(Png, WritesAPartOfAPicture) {
  const ScratchFolder scratch("png");
  const Image image = pattern(3);
  write_png(scratch.path() / "part.png", image.view().crop({5, 6, 7, 8}));
  const cv::Mat back = cv::imread((scratch.path() / "part.png").string(), cv::IMREAD_COLOR);
  ASSERT_EQ(back.size(), cv::Size(7, 8));
  EXPECT_EQ(back.at<cv::Vec3b>(0, 0)[2], image.view().row<std::uint8_t>(6)[15]);
}

TEST(Png, NamesTheFileThatCannotBeWritten) { EXPECT_THROW(write_png("/nonexistent/a.png", pattern(1).view()), Error); }

TEST(PngRows, IsThePictureOfTheRows) {
  const ScratchFolder scratch("png");
  const Image image = pattern(1);
  for (const PngFilter filter : {PngFilter::none, PngFilter::up, PngFilter::sub})
    for (const std::int64_t rows : {1, 5, 23}) {
      const std::filesystem::path file = scratch.path() / "rows.png";
      std::filesystem::remove(file);
      PngRows out(file, image.size(), Depth::u8, {1, filter, {}});
      for (std::int64_t y = 0; y < 23; y += rows) out.write(image.view().crop({0, y, 37, std::min(rows, 23 - y)}));
      EXPECT_FALSE(std::filesystem::exists(file)) << "appears once it is whole";
      out.finish();
      const Image back = read_grey_png(file);
      for (std::int64_t y = 0; y < 23; ++y)
        EXPECT_EQ(std::memcmp(back.view().row<std::uint8_t>(y), image.view().row<std::uint8_t>(y), 37), 0);
    }
  { PngRows(scratch.path() / "half.png", {10, 10}, Depth::u8, {}); }
  EXPECT_FALSE(std::filesystem::exists(scratch.path() / "half.png"));
  EXPECT_THROW(PngRows(scratch.path() / "wide.png", {20'000'000, 1}, Depth::u8, {}), Error);
}

}  // namespace
}  // namespace nephron::host
