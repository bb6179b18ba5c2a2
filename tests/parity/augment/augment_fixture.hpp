#pragma once

#include <unistd.h>

#include <algorithm>
#include <cmath>
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

#include "peer_process.hpp"

namespace nephron::host {

namespace fs = std::filesystem;
inline constexpr int width = 192, height = 150;

/// The generator of sample `index`, where a plugin has it: for draws made once more, where a plan does not tell them.
inline Rng generator_of(std::uint64_t index) {
  Rng rng(4, "augmentation[0]", 0, index);
  rng.uniform();  // the host's decision whether to apply it
  return rng;
}

class AugmentParity : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const fs::path python = peers_python();
    if (!python.empty() && peer_ == nullptr) peer_ = std::make_unique<PeerProcess>(python);
  }
  void SetUp() override {
    if (peer_ == nullptr) GTEST_SKIP() << "no Python peers: set NEPHRON_PEERS to their python";
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

  Augmenter augmenter(const std::string& type, Value::Table params) const {
    AugmentationConfig config;
    config.component = {type, Value(std::move(params)), {}};
    return Augmenter({config}, *registry_, 4);
  }
  static RecordedPlan draw(const Augmenter& from, std::uint64_t index, Size size = {width, height}) {
    RecordedPlan plan(size);
    from.draw(0, index, {.size = size, .slide = "slide", .group = "group"}, plan);
    return plan;
  }
  RecordedPlan draw(const std::string& type, Value::Table params, std::uint64_t index) const {
    return draw(augmenter(type, std::move(params)), index);
  }
  void add(nlohmann::json job, RecordedPlan plan) {
    job["name"] = "job" + std::to_string(jobs_.size());
    jobs_.push_back(std::move(job));
    plans_.push_back(std::move(plan));
  }
  struct Difference {
    double worst = 0, mean = 0, labels = 0;  // grey levels, grey levels, share of pixels
    double beyond_one = 0;                   // share of pixels that are off by more than one grey level
    void take(const Difference& d) {
      worst = std::max(worst, d.worst), mean = std::max(mean, d.mean), labels = std::max(labels, d.labels);
      beyond_one = std::max(beyond_one, d.beyond_one);
    }
  };
  /// The peer's part of all jobs.
  void run_peer() {
    std::ofstream(folder_ / "jobs.json") << nlohmann::json(jobs_).dump();
    ASSERT_EQ(peer_->run(folder_), "");
  }
  nlohmann::json answer(std::size_t job) const {
    nlohmann::json out;
    std::ifstream(folder_ / (jobs_.at(job)["name"].get<std::string>() + ".json")) >> out;
    return out;
  }
  /// Carries a plan out; image_ and labels_ are of its size at least.
  void carry_out(const RecordedPlan& plan, const ImageView& image, const std::vector<ImageView>& planes) const {
    const auto source = [&](const Region& r, const ImageView& to, const std::vector<ImageView>& labels) {
      const cv::Rect part(int(r.x), int(r.y), int(r.width), int(r.height));
      cv::Mat a = as_mat(to);
      image_(part).copyTo(a);
      if (labels.empty()) return;
      cv::Mat b = as_mat(labels[0]);
      labels_(part).copyTo(b);
    };
    executor_->run(plan, {0, 0, plan.picture().width, plan.picture().height}, source, image, planes);
  }
  /// Runs all jobs on both sides.
  std::vector<Difference> compare() {
    run_peer();
    std::vector<Difference> out;
    for (std::size_t i = 0; i < jobs_.size() && !HasFatalFailure(); ++i) {
      const std::string stem = (folder_ / jobs_[i]["name"].get<std::string>()).string();
      cv::Mat image = cv::imread(stem + ".image.png"), labels = cv::imread(stem + ".labels.png", cv::IMREAD_GRAYSCALE);
      if (image.empty() || labels.empty()) {
        ADD_FAILURE() << "the peer wrote no " << stem;
        return {};
      }
      cv::cvtColor(image, image, cv::COLOR_BGR2RGB);
      Image ours({width, height}, 3), our_labels({width, height}, 1);
      carry_out(plans_[i], ours.view(), {our_labels.view()});
      out.push_back(difference(as_mat(ours.view()), image));
      out.back().labels = cv::countNonZero(as_mat(our_labels.view()) != labels) / double(width * height);
    }
    return out;
  }
  /// The same, printed and reduced to the worst of each.
  Difference compare_all(const char* what) {
    Difference all;
    for (const Difference& d : compare()) all.take(d);
    std::printf("[ measured ] %s: worst %.0f grey levels, mean %.3f, beyond one %.5f, labels %.5f\n", what, all.worst,
                all.mean, all.beyond_one, all.labels);
    return all;
  }
  static Difference difference(const cv::Mat& ours, const cv::Mat& theirs) {
    cv::Mat off, far;
    cv::absdiff(ours, theirs, off);
    std::vector<cv::Mat> channels;
    cv::split(off, channels);
    cv::Mat most = cv::max(cv::max(channels[0], channels[1]), channels[2]);
    return {cv::norm(off, cv::NORM_INF), cv::mean(off.reshape(1))[0], 0,
            cv::countNonZero(most > 1) / double(most.total())};
  }
  /// image_ and labels_ as the peer reads them; call it again when they have changed.
  void write_pictures() {
    cv::Mat bgr;
    cv::cvtColor(image_, bgr, cv::COLOR_RGB2BGR);
    cv::imwrite((folder_ / "image.png").string(), bgr);
    cv::imwrite((folder_ / "labels.png").string(), labels_);
  }

  static inline std::unique_ptr<PeerProcess> peer_;  // lives as long as the program
  fs::path folder_;
  cv::Mat image_, labels_;
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<Executor> executor_ = make_cpu_executor();
  std::vector<nlohmann::json> jobs_;
  std::vector<RecordedPlan> plans_;
};

}  // namespace nephron::host
