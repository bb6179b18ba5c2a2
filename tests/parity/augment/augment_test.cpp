// Each augmentation draws its parameters through the plugin; Albumentations 2.0.8 gets the same ones; pictures must
// agree.
//
// Tolerances. Mirrors and tables: none. Blur: one grey level, for OpenCV's fixed-point kernels differ between versions
// in their last bit. Affine maps: OpenCV 4.6 (ours) rounds positions to 1/32 px, OpenCV 5 (the peer's) does not, so
// where the picture changes by g grey levels from one pixel to the next, results may differ by g / 32 an axis, and
// labels by the pixels whose position lies within 1/64 px of the border between two.
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <nephron/image_cv.hpp>

#include <host/feed/augmenter.hpp>
#include <host/feed/execute.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;
constexpr int width = 192, height = 150;

fs::path peers_python() {
  if (const char* named = std::getenv("NEPHRON_PEERS")) return named;
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  const fs::path folder = cache != nullptr ? fs::path(cache) : home != nullptr ? fs::path(home) / ".cache" : fs::path();
  const fs::path python = folder / "nephron/peers/bin/python";
  return fs::exists(python) ? python : fs::path();
}

class AugmentParity : public testing::Test {
 protected:
  void SetUp() override {
    python_ = peers_python();
    if (python_.empty()) GTEST_SKIP() << "no Python peers: set NEPHRON_PEERS to their python";
    folder_ = fs::temp_directory_path() / ("nephron_augment_" + std::to_string(getpid()));
    fs::create_directories(folder_);
    image_ = cv::Mat(height, width, CV_8UC3);
    labels_ = cv::Mat(height, width, CV_8U);
    Rng rng(9, "parity");
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x) {
        labels_.at<std::uint8_t>(y, x) = static_cast<std::uint8_t>((x / 16 + y / 12) % 4);
        for (int c = 0; c < 3; ++c)
          image_.at<cv::Vec3b>(y, x)[c] =
              cv::saturate_cast<std::uint8_t>(128 + 70 * std::sin(0.13 * x + c) * std::cos(0.11 * y - c) +
                                              20 * std::sin(0.5 * x - 0.4 * y) + rng.uniform(-3, 3));
      }
    cv::Mat bgr;
    cv::cvtColor(image_, bgr, cv::COLOR_RGB2BGR);
    cv::imwrite((folder_ / "image.png").string(), bgr);
    cv::imwrite((folder_ / "labels.png").string(), labels_);
    std::stringstream files(NEPHRON_PLUGIN_FILES);
    PluginSearch search;
    for (std::string file; std::getline(files, file, ':');) search.command_line.emplace_back(file);
    registry_ = std::make_unique<Registry>(search);
  }
  void TearDown() override {
    if (!folder_.empty()) fs::remove_all(folder_);
  }

  RecordedPlan draw(const std::string& type, Value::Table params, std::uint64_t index) {
    AugmentationConfig config;
    config.component = {type, Value(std::move(params)), {}};
    RecordedPlan plan({width, height});
    Augmenter({config}, *registry_, 4).draw(0, index, plan);
    return plan;
  }
  void add(nlohmann::json job, RecordedPlan plan) {
    job["name"] = "job" + std::to_string(jobs_.size());
    jobs_.push_back(std::move(job));
    plans_.push_back(std::move(plan));
  }
  struct Difference {
    double worst = 0, mean = 0, labels = 0;  // grey levels, grey levels, share of pixels
  };
  /// Runs all jobs on both sides.
  std::vector<Difference> compare() {
    std::ofstream(folder_ / "jobs.json") << nlohmann::json(jobs_).dump();
    const std::string command =
        python_.string() + " " + NEPHRON_SOURCE_DIR + "/tests/parity/augment/peer.py " + folder_.string() + " 2>&1";
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
    std::vector<Difference> out;
    for (std::size_t i = 0; i < jobs_.size(); ++i) {
      const std::string stem = (folder_ / jobs_[i]["name"].get<std::string>()).string();
      cv::Mat image = cv::imread(stem + ".image.png"), labels = cv::imread(stem + ".labels.png", cv::IMREAD_GRAYSCALE);
      if (image.empty() || labels.empty()) {
        ADD_FAILURE() << "the peer wrote no " << stem;
        return {};
      }
      cv::cvtColor(image, image, cv::COLOR_BGR2RGB);
      Image ours({width, height}, 3), our_labels({width, height}, 1);
      Executor executor;
      const auto source = [&](const Region& r, const ImageView& to, const std::vector<ImageView>& planes) {
        const cv::Rect part(int(r.x), int(r.y), int(r.width), int(r.height));
        cv::Mat a = as_mat(to), b = as_mat(planes[0]);
        image_(part).copyTo(a);
        labels_(part).copyTo(b);
      };
      executor.run(plans_[i], {0, 0, width, height}, source, ours.view(), {our_labels.view()});
      cv::Mat difference;
      cv::absdiff(as_mat(ours.view()), image, difference);
      out.push_back({cv::norm(difference, cv::NORM_INF), cv::mean(difference.reshape(1))[0],
                     cv::countNonZero(as_mat(our_labels.view()) != labels) / double(width * height)});
    }
    return out;
  }

  fs::path python_, folder_;
  cv::Mat image_, labels_;
  std::unique_ptr<Registry> registry_;
  std::vector<nlohmann::json> jobs_;
  std::vector<RecordedPlan> plans_;
};

TEST_F(AugmentParity, FlipIsExact) {
  for (std::uint64_t i = 0; i < 12; ++i) {
    RecordedPlan plan = draw("flip", {}, i);
    bool h = false, v = false;
    if (!plan.steps().empty()) {
      const auto& flip = std::get<FlipStep>(plan.steps()[0]);
      h = flip.horizontal, v = flip.vertical;
    }
    add({{"transform", "flip"}, {"horizontal", h}, {"vertical", v}}, std::move(plan));
  }
  for (const Difference& d : compare()) {
    EXPECT_EQ(d.worst, 0);
    EXPECT_EQ(d.labels, 0);
  }
}

TEST_F(AugmentParity, BrightnessContrastIsExact) {
  for (std::uint64_t i = 0; i < 12; ++i) {
    RecordedPlan plan = draw("brightness_contrast", {{"brightness", 0.3, {}}, {"contrast", 0.4, {}}}, i);
    // The same draws, made once more: the plan holds only the table.
    Rng rng(4, "augmentation[0]", 0, i);
    rng.uniform();  // the host's decision whether to apply it
    const double alpha = 1 + rng.uniform(-0.4, 0.4), beta = rng.uniform(-0.3, 0.3) * 255;
    add({{"transform", "contrast"}, {"alpha", alpha}, {"beta", beta}}, std::move(plan));
  }
  for (const Difference& d : compare()) EXPECT_EQ(d.worst, 0);
}

TEST_F(AugmentParity, GaussianBlurIsWithinOneGreyLevel) {
  for (std::uint64_t i = 0; i < 10; ++i) {
    RecordedPlan plan = draw("gaussian_blur", {{"limit", Value::Array{3, 9}, {}}}, i);
    const auto side = std::get<SeparableStep>(plan.steps()[0]).horizontal.size();
    add({{"transform", "blur"}, {"side", side}}, std::move(plan));
    plan = draw("gaussian_blur", {{"limit", Value::Array{3, 9}, {}}, {"compat", "2.0.8", {}}}, i);
    Rng rng(4, "augmentation[0]", 0, i);
    rng.uniform();
    const double sigma = rng.uniform(0.5, 3.0);
    const auto size = rng.integer(3, 9);
    add({{"transform", "blur"}, {"sigma", sigma}, {"size", size}}, std::move(plan));
  }
  for (const Difference& d : compare()) EXPECT_LE(d.worst, 1);
}

TEST_F(AugmentParity, ShiftScaleRotateIsAffineWithinRoundingOfPositions) {
  for (std::uint64_t i = 0; i < 12; ++i) {
    const bool constant = i % 2 == 1;
    RecordedPlan plan =
        draw("shift_scale_rotate", {{"compat", "2.0.8", {}}, {"border", constant ? "constant" : "reflect_101", {}}}, i);
    const int border = constant ? cv::BORDER_CONSTANT : cv::BORDER_REFLECT_101;
    const auto& m = std::get<AffineStep>(plan.steps()[0]).forward.m;
    const double cx = width / 2.0 - 0.5, cy = height / 2.0 - 0.5;
    // Albumentations builds its matrix from these numbers itself: the order of scale, rotation and shift is compared
    // too.
    add({{"transform", "affine"},
         {"sx", std::hypot(m[0], m[3])},
         {"sy", std::hypot(m[1], m[4])},
         {"angle", -std::atan2(m[3], m[0]) * 180 / M_PI},
         {"dx", std::lround(m[0] * cx + m[1] * cy + m[2] - cx)},
         {"dy", std::lround(m[3] * cx + m[4] * cy + m[5] - cy)},
         {"border", border}},
        std::move(plan));
    plan = draw("shift_scale_rotate", {{"border", constant ? "constant" : "reflect_101", {}}}, i);
    const std::vector<double> matrix(std::get<AffineStep>(plan.steps()[0]).forward.m.begin(),
                                     std::get<AffineStep>(plan.steps()[0]).forward.m.end());
    add({{"transform", "matrix"}, {"matrix", matrix}, {"border", border}}, std::move(plan));
  }
  double worst = 0, mean = 0, labels = 0;
  for (const Difference& d : compare()) {
    worst = std::max(worst, d.worst), mean = std::max(mean, d.mean), labels = std::max(labels, d.labels);
    EXPECT_LE(d.worst, 6);  // constant borders: a step of up to 200 grey levels / 32
    EXPECT_LE(d.mean, 0.5);
    EXPECT_LE(d.labels, 0.006);  // 4 of the 16 x 12 px blocks' borders lie within 1/64 px
  }
  std::printf("[ measured ] affine: worst %.0f grey levels, mean %.3f, labels %.4f\n", worst, mean, labels);
}

}  // namespace
}  // namespace nephron::host
