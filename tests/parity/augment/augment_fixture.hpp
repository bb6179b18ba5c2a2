#pragma once

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

namespace fs = std::filesystem;
inline constexpr int width = 192, height = 150;

inline fs::path peers_python() {
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
    write_pictures();
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
    Augmenter({config}, *registry_, 4)
        .draw(0, index, {.size = plan.picture(), .slide = "slide", .group = "group"}, plan);
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
  /// The peer's part of all jobs.
  void run_peer() {
    std::ofstream(folder_ / "jobs.json") << nlohmann::json(jobs_).dump();
    const std::string command =
        python_.string() + " " + NEPHRON_SOURCE_DIR + "/tests/parity/augment/peer.py " + folder_.string() + " 2>&1";
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  }
  /// Runs all jobs on both sides.
  std::vector<Difference> compare() {
    run_peer();
    std::vector<Difference> out;
    const auto executor = make_cpu_executor();
    for (std::size_t i = 0; i < jobs_.size(); ++i) {
      const std::string stem = (folder_ / jobs_[i]["name"].get<std::string>()).string();
      cv::Mat image = cv::imread(stem + ".image.png"), labels = cv::imread(stem + ".labels.png", cv::IMREAD_GRAYSCALE);
      if (image.empty() || labels.empty()) {
        ADD_FAILURE() << "the peer wrote no " << stem;
        return {};
      }
      cv::cvtColor(image, image, cv::COLOR_BGR2RGB);
      Image ours({width, height}, 3), our_labels({width, height}, 1);
      const auto source = [&](const Region& r, const ImageView& to, const std::vector<ImageView>& planes) {
        const cv::Rect part(int(r.x), int(r.y), int(r.width), int(r.height));
        cv::Mat a = as_mat(to), b = as_mat(planes[0]);
        image_(part).copyTo(a);
        labels_(part).copyTo(b);
      };
      executor->run(plans_[i], {0, 0, width, height}, source, ours.view(), {our_labels.view()});
      cv::Mat difference;
      cv::absdiff(as_mat(ours.view()), image, difference);
      out.push_back({cv::norm(difference, cv::NORM_INF), cv::mean(difference.reshape(1))[0],
                     cv::countNonZero(as_mat(our_labels.view()) != labels) / double(width * height)});
    }
    return out;
  }
  /// image_ and labels_ as the peer reads them; call it again when they have changed.
  void write_pictures() {
    cv::Mat bgr;
    cv::cvtColor(image_, bgr, cv::COLOR_RGB2BGR);
    cv::imwrite((folder_ / "image.png").string(), bgr);
    cv::imwrite((folder_ / "labels.png").string(), labels_);
  }

  fs::path python_, folder_;
  cv::Mat image_, labels_;
  std::unique_ptr<Registry> registry_;
  std::vector<nlohmann::json> jobs_;
  std::vector<RecordedPlan> plans_;
};

}  // namespace nephron::host
