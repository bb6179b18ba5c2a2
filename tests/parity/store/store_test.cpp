// The store's files are what others read, pixel by pixel: tifffile, OpenSlide, libvips; and equal to OpenCV of today.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <nephron/image_cv.hpp>

#include <host/store/label_map.hpp>
#include <host/store/picture.hpp>
#include <host/util/thread_pool.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;

fs::path peers_python() {
  if (const char* named = std::getenv("NEPHRON_PEERS")) return named;
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  const fs::path folder = cache != nullptr ? fs::path(cache) : home != nullptr ? fs::path(home) / ".cache" : fs::path();
  const fs::path python = folder / "nephron/peers/bin/python";
  return fs::exists(python) ? python : fs::path();
}

class StoreParity : public testing::TestWithParam<cv::Size> {
 protected:
  void SetUp() override {
    python_ = peers_python();
    if (python_.empty()) GTEST_SKIP() << "no Python peers: set NEPHRON_PEERS to their python";
    folder_ = fs::temp_directory_path() / ("nephron_store_parity_" + std::to_string(getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override {
    if (!folder_.empty()) fs::remove_all(folder_);
  }

  /// Tissue with a gradient on glass, and noise everywhere.
  static cv::Mat slide(cv::Size size) {
    cv::Mat image(size, CV_8UC3, cv::Scalar(236, 233, 238));
    cv::ellipse(image, {size.width / 2, size.height / 2}, {size.width / 3, size.height / 4}, 20, 0, 360,
                {200, 120, 190}, -1);
    cv::Mat noise(size, CV_8UC3);
    cv::RNG rng(9);
    rng.fill(noise, cv::RNG::UNIFORM, 0, 18);
    return image - noise;
  }
  static cv::Mat labels(cv::Size size) {
    cv::Mat mask(size, CV_8U, cv::Scalar(0));
    cv::circle(mask, {size.width / 5, size.height / 5}, size.height / 7, 1, -1);
    cv::circle(mask, {size.width / 4, size.height / 5}, size.height / 7, 3, 5);
    return mask;
  }
  void dump(const cv::Mat& m, const char* name) const {
    std::ofstream(folder_ / name, std::ios::binary)
        .write(reinterpret_cast<const char*>(m.data), static_cast<std::streamsize>(m.total() * m.elemSize()));
  }

  fs::path python_, folder_;
};

TEST_P(StoreParity, OthersReadEveryPixel) {
  const cv::Size size = GetParam();
  const cv::Mat image = slide(size), mask = labels(size);
  dump(image, "slide.raw");
  dump(mask, "labels.raw");
  PictureSource source;
  source.size = {size.width, size.height};
  source.mpp = 0.25;
  source.read = [&](const Region& r, const ImageView& out) {
    image(cv::Rect(static_cast<int>(r.x), static_cast<int>(r.y), static_cast<int>(r.width), static_cast<int>(r.height)))
        .copyTo(as_mat(out));
  };
  const auto written = write_pictures({{2, folder_ / "picture-2.tiff"}, {4, folder_ / "picture-4.tiff"}}, source,
                                      thread_pool(), [](std::int64_t) {});
  cv::imwrite((folder_ / "tissue.png").string(), as_mat(written[1].tissue.mask.view()));
  LabelSource from;
  from.touches = [](Reduction, const Region&) { return true; };
  from.paint = [&](Reduction by, const Region& r, const ImageView& out) {
    cv::Mat small;
    cv::resize(mask, small, {size.width / by.factor(), size.height / by.factor()}, 0, 0, cv::INTER_NEAREST);
    small(cv::Rect(static_cast<int>(r.x), static_cast<int>(r.y), static_cast<int>(r.width), static_cast<int>(r.height)))
        .copyTo(as_mat(out));
  };
  for (const int f : {2, 4})
    write_labels(folder_ / ("labels-" + std::to_string(f) + ".tiff"), from, source.size, source.mpp, f, {"a", "b"},
                 thread_pool());
  const std::string command = "'" + python_.string() + "' '" + NEPHRON_SOURCE_DIR + "/tests/parity/store/peer.py' '" +
                              folder_.string() + "' " + std::to_string(size.width) + " " + std::to_string(size.height) +
                              " classic " + std::to_string(written[1].tissue.block) + " > '" +
                              (folder_ / "said").string() + "' 2>&1";
  const int status = std::system(command.c_str());
  std::ifstream said(folder_ / "said");
  const std::string text((std::istreambuf_iterator<char>(said)), {});
  ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << text;
  EXPECT_THAT(text, testing::HasSubstr("same"));
}

INSTANTIATE_TEST_SUITE_P(Sizes, StoreParity,
                         testing::Values(cv::Size(2560, 1920), cv::Size(2563, 1922), cv::Size(4200, 1111),
                                         cv::Size(601, 4099)));

}  // namespace
}  // namespace nephron::host
