// nephron slide info, read and thumbnail as a person runs them: exit codes, texts, JSON, pixels.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <tiffio.h>
#include <unistd.h>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <tests/support/scratch_folder.hpp>

namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

struct Result {
  int code = 0;
  std::string output;
};

class SlideCommand : public testing::Test {
 protected:
  SlideCommand() {
    ::setenv("XDG_DATA_HOME", (folder_ / "share").c_str(), 1);
    picture_ = cv::Mat(301, 403, CV_8UC3);
    for (int y = 0; y < picture_.rows; ++y)
      for (int x = 0; x < picture_.cols; ++x)
        picture_.at<cv::Vec3b>(y, x) = {static_cast<std::uint8_t>(x * y / 50), static_cast<std::uint8_t>(x),
                                        static_cast<std::uint8_t>(3 * y)};
    write_slide(folder_ / "one.tif");
  }

  /// RGB in tiles, Deflate, 0.5 microns.
  void write_slide(const fs::path& file) const {
    TIFF* tiff = TIFFOpen(file.c_str(), "w");
    ASSERT_NE(tiff, nullptr);
    for (const auto& [tag, value] : {std::pair{TIFFTAG_IMAGEWIDTH, picture_.cols},
                                     {TIFFTAG_IMAGELENGTH, picture_.rows},
                                     {TIFFTAG_TILEWIDTH, 64},
                                     {TIFFTAG_TILELENGTH, 64},
                                     {TIFFTAG_SAMPLESPERPIXEL, 3},
                                     {TIFFTAG_BITSPERSAMPLE, 8},
                                     {TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_RGB},
                                     {TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG},
                                     {TIFFTAG_COMPRESSION, COMPRESSION_ADOBE_DEFLATE},
                                     {TIFFTAG_RESOLUTIONUNIT, RESUNIT_CENTIMETER}})
      TIFFSetField(tiff, static_cast<std::uint32_t>(tag), value);
    TIFFSetField(tiff, TIFFTAG_XRESOLUTION, 20000.0);
    for (int y = 0; y < picture_.rows; y += 64)
      for (int x = 0; x < picture_.cols; x += 64) {
        cv::Mat tile(64, 64, CV_8UC3, cv::Scalar::all(0));
        const cv::Rect part(x, y, std::min(64, picture_.cols - x), std::min(64, picture_.rows - y));
        picture_(part).copyTo(tile(cv::Rect(0, 0, part.width, part.height)));
        TIFFWriteTile(tiff, tile.data, static_cast<std::uint32_t>(x), static_cast<std::uint32_t>(y), 0, 0);
      }
    TIFFClose(tiff);
  }

  Result nephron(const std::string& arguments, const std::string& stream = "2>&1") const {
    Result r;
    const std::string command =
        "cd " + folder_.string() + " && " NEPHRON_BUILD_DIR "/bin/nephron slide " + arguments + " " + stream;
    FILE* pipe = ::popen(command.c_str(), "r");
    if (pipe == nullptr) return {-1, "cannot run"};
    std::array<char, 4096> buffer;
    for (std::size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
      r.output.append(buffer.data(), n);
    const int status = ::pclose(pipe);
    r.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return r;
  }
  /// The PNG that was written, as RGB.
  cv::Mat png(const std::string& name) const {
    cv::Mat out = cv::imread((folder_ / name).string());
    if (!out.empty()) cv::cvtColor(out, out, cv::COLOR_BGR2RGB);
    return out;
  }
  static void expect_same(const cv::Mat& a, const cv::Mat& b) {
    ASSERT_EQ(a.size(), b.size());
    EXPECT_EQ(cv::norm(a, b, cv::NORM_INF), 0);
  }

  const nephron::ScratchFolder scratch_{"slide"};
  const fs::path& folder_ = scratch_.path();
  cv::Mat picture_;
};

TEST_F(SlideCommand, InfoGoesOnAfterAnUnreadableFile) {
  std::ofstream(folder_ / "broken.svs") << "no slide\n";
  const Result r = nephron("info one.tif broken.svs none.tif one.tif --json", "2>/dev/null");
  EXPECT_EQ(r.code, 1);
  const nlohmann::json slides = nlohmann::json::parse(r.output)["slides"];
  ASSERT_EQ(slides.size(), 4U);
  EXPECT_EQ(slides[0]["reader"], "tiff");
  EXPECT_EQ(slides[0]["format"], "TIFF, tiles, Deflate");
  EXPECT_EQ(slides[0]["width"], 403);
  EXPECT_EQ(slides[0]["height"], 301);
  EXPECT_DOUBLE_EQ(slides[0]["mpp"].get<double>(), 0.5);
  EXPECT_EQ(slides[0]["levels"].size(), 1U);
  EXPECT_THAT(slides[1]["error"].get<std::string>(), HasSubstr("no reader suits slide file broken.svs; asked: "));
  EXPECT_THAT(slides[2]["error"].get<std::string>(), HasSubstr("there is no slide file none.tif"));
  EXPECT_EQ(slides[3]["width"], 403);
  EXPECT_EQ(nephron("info one.tif").code, 0);
}

TEST_F(SlideCommand, ReadsARegion) {
  EXPECT_EQ(nephron("read one.tif --region 50,60,211,133 --out part.png").code, 0);
  expect_same(png("part.png"), picture_(cv::Rect(50, 60, 211, 133)));
  for (const int factor : {2, 3, 100}) {
    EXPECT_EQ(nephron("read one.tif --region 50,60,211,133 --factor " + std::to_string(factor) +
                      " --out part.png --overwrite")
                  .code,
              0);
    cv::Mat expected;
    cv::resize(picture_(cv::Rect(50, 60, 211, 133)), expected, {211 / factor, 133 / factor}, 0, 0, cv::INTER_AREA);
    expect_same(png("part.png"), expected);
  }
}

TEST_F(SlideCommand, MakesAThumbnail) {
  EXPECT_EQ(nephron("thumbnail one.tif --size 100 --out small.png").code, 0);
  EXPECT_EQ(png("small.png").size(), cv::Size(100, 75));
  EXPECT_EQ(nephron("thumbnail one.tif --size 4 --out small.png --overwrite").code, 0);
  EXPECT_EQ(png("small.png").size(), cv::Size(4, 3));
  EXPECT_EQ(nephron("thumbnail one.tif --size 1000 --out small.png --overwrite").code, 0);
  expect_same(png("small.png"), picture_);
}

TEST_F(SlideCommand, RefusesReadably) {
  Result r = nephron("read one.tif --region 300,60,211,133 --out part.png");
  EXPECT_EQ(r.code, 1);
  EXPECT_THAT(r.output, HasSubstr("region 300,60,211,133 leaves one.tif, which has 403 x 301 pixels"));
  r = nephron("read one.tif --region 1,2,3 --out part.png");
  EXPECT_EQ(r.code, 2);
  EXPECT_THAT(r.output, HasSubstr("\"1,2,3\" is no region X,Y,W,H"));
  r = nephron("info one.tif --reader tif");
  EXPECT_EQ(r.code, 1);
  EXPECT_THAT(r.output, HasSubstr("did you mean \"tiff\"?"));
  r = nephron("read one.tif --region 0,0,5,5 --factor 9 --out part.png");
  EXPECT_EQ(r.code, 1);
  EXPECT_FALSE(fs::exists(folder_ / "part.png"));
  EXPECT_EQ(nephron("info").code, 2);
  EXPECT_EQ(nephron("").code, 2);
}

}  // namespace
