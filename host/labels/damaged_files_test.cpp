// Damaged label files of every format: each is read, or refused with one Error that names it, in bounded memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <tiffio.h>
#include <unistd.h>
#include <zlib.h>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <host/labels/coco.hpp>
#include <host/labels/label_file.hpp>
#include <host/util/files.hpp>

#include <tests/support/damaged.hpp>
#include <tests/support/error_of.hpp>
#include <tests/support/put_file.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

/// Numbers of a header, and what stands for none and for too many.
const Damage binary_damage{"",
                           {std::string(4, '\0'), "\xff\xff\xff\xff", "\x7f\xff\xff\xff", std::string("\1\0\0\0", 4),
                            std::string("\0\1\0\0", 4), std::string("\0\0\xB5\x05", 4), std::string(8, '\xff')},
                           4};

std::int64_t peak_megabytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

/// The same PNG with the check sums that its chunks should have: without them hardly a damaged byte is looked at.
std::string with_check_sums(std::string png) {
  const auto byte = [&](std::size_t at) { return static_cast<std::uint32_t>(static_cast<unsigned char>(png[at])); };
  for (std::size_t at = 8; at + 12 <= png.size();) {
    const std::size_t length = byte(at) << 24 | byte(at + 1) << 16 | byte(at + 2) << 8 | byte(at + 3);
    if (length > png.size() - at - 12) break;
    const auto sum = ::crc32(0, reinterpret_cast<const Bytef*>(&png[at + 4]), static_cast<uInt>(length + 4));
    for (std::size_t i = 0; i < 4; ++i) png[at + 8 + length + i] = static_cast<char>(sum >> (24 - 8 * i));
    at += length + 12;
  }
  return png;
}

class DamagedFiles : public testing::Test {
 protected:
  DamagedFiles() {
    folder_ = fs::temp_directory_path() / ("nephron_damaged_labels_" + std::to_string(getpid()));
    fs::create_directories(folder_);
    for (int y = 0; y < mask_.rows; ++y)
      for (int x = 0; x < mask_.cols; ++x) mask_.at<std::uint8_t>(y, x) = static_cast<std::uint8_t>(x * y / 40 % 3);
    cv::cvtColor(mask_ * 100, coloured_, cv::COLOR_GRAY2BGR);
  }
  ~DamagedFiles() override { fs::remove_all(folder_); }

  fs::path put(const std::string& name, const std::string& bytes) const {
    put_file(folder_ / name, bytes);
    return folder_ / name;
  }
  std::string picture(const std::string& name, const cv::Mat& pixels, const std::vector<int>& how = {}) const {
    cv::imwrite((folder_ / name).string(), pixels, how);
    return read_file(folder_ / name);
  }
  /// A BigTIFF of several strips, which OpenCV does not write.
  std::string big_tiff() const {
    const fs::path file = folder_ / "big.tif";
    TIFF* const tiff = TIFFOpen(file.c_str(), "w8");
    for (const auto& [tag, value] : {std::pair{TIFFTAG_IMAGEWIDTH, mask_.cols},
                                     {TIFFTAG_IMAGELENGTH, mask_.rows},
                                     {TIFFTAG_ROWSPERSTRIP, 7},
                                     {TIFFTAG_SAMPLESPERPIXEL, 1},
                                     {TIFFTAG_BITSPERSAMPLE, 8},
                                     {TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK},
                                     {TIFFTAG_COMPRESSION, COMPRESSION_ADOBE_DEFLATE}})
      TIFFSetField(tiff, static_cast<std::uint32_t>(tag), value);
    for (int y = 0; y < mask_.rows; ++y) TIFFWriteScanline(tiff, mask_.data + y * mask_.step[0], std::uint32_t(y), 0);
    TIFFClose(tiff);
    return read_file(file);
  }
  /// As nephron writes it: tiles.
  std::string own_tiff() const {
    LabelSet set;
    set.size = {mask_.cols, mask_.rows};
    set.classes = {"a"};
    set.masks = {{{5, 30}, {100, 7}}};
    write_labels(set, folder_ / "own.tif", {LabelFormat::tiff, "", false});
    return read_file(folder_ / "own.tif");
  }
  void read_and_paint(const std::string& name, const std::string& bytes, Size size = {}) const {
    const LabelSet found = read_labels(put(name, bytes), {size, {}, "other", "", "auto"});
    EXPECT_FALSE(found.size.empty());
    if (found.size.area() > 1 << 24) return;
    EXPECT_EQ(masks_of(found).size(), found.classes.size());
  }

  fs::path folder_;
  cv::Mat mask_ = cv::Mat(20, 30, CV_8U), coloured_;
};

TEST_F(DamagedFiles, Png) {
  cv::Mat clear;
  cv::cvtColor(coloured_, clear, cv::COLOR_BGR2BGRA);
  const std::vector<std::string> sound{picture("a.png", mask_), picture("a.png", coloured_), picture("a.png", clear),
                                       picture("a.png", mask_ > 0, {cv::IMWRITE_PNG_BILEVEL, 1})};
  for (const std::string& bytes : sound) {
    ASSERT_EQ(with_check_sums(bytes), bytes);
    read_and_paint("x.png", bytes);
  }
  const auto names_the_file = HasSubstr((folder_ / "x.png").string());
  const Outcomes found = read_damaged(4000, sound, binary_damage, names_the_file, [&](const std::string& bytes) {
    read_and_paint("x.png", with_check_sums(bytes));
  });
  EXPECT_GT(found.refused, 1000);
  EXPECT_GT(found.read, 50);
}

TEST_F(DamagedFiles, Tiff) {
  const std::vector<std::string> sound{own_tiff(),
                                       big_tiff(),
                                       picture("a.tif", mask_),
                                       picture("a.tif", coloured_),
                                       picture("a.tif", mask_, {cv::IMWRITE_TIFF_COMPRESSION, COMPRESSION_NONE}),
                                       picture("a.tif", mask_, {cv::IMWRITE_TIFF_COMPRESSION, COMPRESSION_PACKBITS})};
  for (const std::string& bytes : sound) read_and_paint("x.tif", bytes);
  const auto names_the_file = HasSubstr((folder_ / "x.tif").string());
  testing::internal::CaptureStderr();
  const Outcomes found = read_damaged(4000, sound, binary_damage, names_the_file,
                                      [&](const std::string& bytes) { read_and_paint("x.tif", bytes); });
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_GT(found.refused, 1000);
  EXPECT_GT(found.read, 50);
}

TEST_F(DamagedFiles, HeadersThatClaimTooMuchFailAtOnce) {
  const std::int64_t before = peak_megabytes();
  const auto fault = [&](const std::string& name, std::string bytes) {
    return error_of([&] { read_labels(put(name, bytes), {}); });
  };
  // 46,341 x 46,341 px are 2^31.
  std::string png = picture("a.png", mask_);
  png.replace(16, 8, std::string("\0\0\xB5\x05\0\0\xB5\x05", 8));
  EXPECT_THAT(fault("x.png", with_check_sums(png)), HasSubstr("x.png at row 0: "));
  png.replace(16, 8, "\x7f\xff\xff\xff\x7f\xff\xff\xff");
  EXPECT_THAT(fault("x.png", with_check_sums(png)), HasSubstr("x.png"));

  const auto claim = [&](std::uint32_t width, std::uint32_t height, std::uint32_t tile) {
    const fs::path file = folder_ / "claim.tif";
    TIFF* const tiff = TIFFOpen(file.c_str(), "w");
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, width);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, height);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 8);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
    TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_ADOBE_DEFLATE);
    if (tile > 0) TIFFSetField(tiff, TIFFTAG_TILEWIDTH, tile), TIFFSetField(tiff, TIFFTAG_TILELENGTH, tile);
    else TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, height);
    const std::uint8_t few[] = {0x78, 0x9c, 0x63, 0, 0};
    if (tile > 0) TIFFWriteRawTile(tiff, 0, const_cast<std::uint8_t*>(few), sizeof few);
    else TIFFWriteRawStrip(tiff, 0, const_cast<std::uint8_t*>(few), sizeof few);
    TIFFClose(tiff);
    return fault("x.tif", read_file(file));
  };
  EXPECT_THAT(claim(46341, 46341, 0), AllOf(HasSubstr("x.tif claims 46341 x 46341 px"), HasSubstr("cannot come out")));
  EXPECT_THAT(claim(46336, 46336, 46336), AllOf(HasSubstr("x.tif claims 46336 x 46336 px")));
  EXPECT_THAT(claim(0xfffffff0, 0x7fffffff, 0), HasSubstr("x.tif claims 4294967280 x 2147483647 px; a side may have"));
  EXPECT_THAT(claim(2000, 2000, 0), HasSubstr("x.tif cannot be read at row 0"));
  EXPECT_THAT(claim(100, 100, 32768), HasSubstr("x.tif claims tiles of 32768 x 32768 px"));
  EXPECT_LT(peak_megabytes() - before, 200);
}

TEST_F(DamagedFiles, GeoJsonIsPainted) {
  const std::string sound = R"([
    {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[[1, 2.5], [28, 2], [20, 18], [1, 2.5]], [[8, 5], [12, 5], [12, 9]]]},
     "properties": {"classification": {"name": "G"}}},
    {"type": "Feature", "geometry": {"type": "MultiPolygon", "coordinates": [[[[-5, 1], [2, 1], [2, 2]]], [[[5, 5], [60, 5], [6, 60]]]]}}
  ])";
  read_and_paint("x.json", sound, {30, 20});
  const Outcomes found = read_damaged(1500, {sound}, json_damage(), HasSubstr((folder_ / "x.json").string()),
                                      [&](const std::string& bytes) {
                                        read_and_paint("x.json", bytes, {30, 20});
                                      });
  EXPECT_GT(found.refused, 500);
  EXPECT_GT(found.read, 20);
}

TEST_F(DamagedFiles, Coco) {
  LabelSet set;
  set.size = {30, 20};
  set.classes = {"G", "FC"};
  set.masks = {{{5, 30}, {100, 7}, {300, 40}}, {{45, 3}, {510, 60}}};
  std::string whole = coco_text(set, "slide");
  whole.insert(whole.rfind(']'),
               R"(,{"id":9,"image_id":1,"category_id":1,"segmentation":[[1,2,9,2,9,9.5]],"area":2,"bbox":[1,1,1,1]},
      {"id":10,"image_id":1,"category_id":2,"segmentation":{"size":[20,30],"counts":[10,20,570]}})");
  ASSERT_EQ(parse_coco(whole, "a.json", "", {}).objects.size(), objects_of(set).size() + 2);
  const Outcomes found =
      read_damaged(5000, {whole}, json_damage(), testing::StartsWith("a.json: "), [](const std::string& text) {
        const LabelSet labels = parse_coco(text, "a.json", "", {});
        EXPECT_FALSE(labels.size.empty());
        if (labels.size.area() > 1 << 24) return;
        EXPECT_EQ(masks_of(labels).size(), labels.classes.size());
      });
  EXPECT_GT(found.refused, 2500);
  EXPECT_GT(found.read, 10);
  EXPECT_THAT(error_of([] { parse_coco(std::string(100000, '['), "a.json", "", {}); }),
              HasSubstr("nested more than 64 deep"));
}

}  // namespace
}  // namespace nephron::host
