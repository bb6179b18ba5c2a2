// The reader through the host's opener.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <opencv2/imgcodecs.hpp>

#include <host/slides/opener.hpp>
#include <tests/support/error_of.hpp>
#include <tests/support/put_file.hpp>
#include <tests/support/scratch_folder.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr int width = 90, height = 70;

class Picture : public testing::Test {
 protected:
  Picture() {
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x)  // OpenCV's order: blue first
        bgr_.at<cv::Vec3b>(y, x) =
            cv::Vec3b(static_cast<std::uint8_t>(y), static_cast<std::uint8_t>(x + y), static_cast<std::uint8_t>(2 * x));
  }
  fs::path written(const std::string& name, const cv::Mat& pixels) const {
    cv::imwrite((folder_ / name).string(), pixels);
    return folder_ / name;
  }
  static PluginSearch search() {
    PluginSearch out;
    out.command_line = {NEPHRON_PLUGIN_FILE};
    out.folders = false;
    return out;
  }
  std::string fault(const fs::path& file) {
    return error_and_hint_of([&] { opener_.open(file, "picture"); });
  }

  const ScratchFolder scratch_{"picture"};
  const fs::path& folder_ = scratch_.path();
  cv::Mat bgr_ = cv::Mat(height, width, CV_8UC3);  // braces would make a list of three numbers
  Registry registry_{search()};
  ReaderOpener opener_{registry_};
};

TEST_F(Picture, RegionsOfAPngAreItsPixels) {
  const auto slide = opener_.open(written("a.png", bgr_));
  EXPECT_EQ(slide->size(), (Size{width, height}));
  EXPECT_EQ(slide->header().format, "PNG");
  const Region region{11, 20, 40, 30};
  const Image out(region.size(), 3);
  slide->read(region, out.view());
  for (std::int64_t y = 0; y < region.height; ++y)
    for (std::int64_t x = 0; x < region.width; ++x) {
      const std::uint8_t* rgb = out.view().row<std::uint8_t>(y) + 3 * x;
      ASSERT_EQ(rgb[0], 2 * (x + region.x));
      ASSERT_EQ(rgb[1], x + region.x + y + region.y);
      ASSERT_EQ(rgb[2], y + region.y);
    }
}

TEST_F(Picture, AJpegIsFoundByItsFirstBytes) {
  fs::rename(written("a.jpg", bgr_), folder_ / "without_an_ending");
  const auto slide = opener_.open(folder_ / "without_an_ending");
  EXPECT_EQ(slide->size(), (Size{width, height}));
  EXPECT_EQ(slide->header().format, "JPEG");
}

TEST_F(Picture, WhatItCannotReadRightlyItRefuses) {
  cv::Mat deep;
  bgr_.convertTo(deep, CV_16U, 257);
  EXPECT_THAT(fault(written("deep.png", deep)), testing::AllOf(HasSubstr("deep.png has 16 bits"), HasSubstr(" | ")));
  put_file(folder_ / "text.png", "no picture");
  EXPECT_THAT(fault(folder_ / "text.png"), HasSubstr("text.png is neither a PNG nor a JPEG file"));
  std::ifstream whole(written("whole.png", bgr_), std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(whole), {}};
  put_file(folder_ / "cut.png", bytes.substr(0, bytes.size() / 2));
  EXPECT_THAT(fault(folder_ / "cut.png"), HasSubstr("cut.png: the picture cannot be decoded"));
  EXPECT_THAT(error_of([&] { opener_.open(written("a.tif", bgr_)); }), HasSubstr("no reader suits slide file "));
}

}  // namespace
}  // namespace nephron::host
