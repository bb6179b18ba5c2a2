#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <ATen/ops/equal.h>

#include <host/runs/metrics_log.hpp>
#include <host/runs/run.hpp>
#include <host/util/files.hpp>
#include <host/weights/weights.hpp>
#include <tests/support/program.hpp>

// Whole runs of `nephron train` on six small slides.
namespace nephron::host {

namespace fs = std::filesystem;

/// nephron with these arguments; its output goes to a file.
class Program : public StartedProgram {
 public:
  Program(std::vector<std::string> arguments, const fs::path& file)
      : StartedProgram((arguments.insert(arguments.begin(), NEPHRON_PROGRAM), std::move(arguments)), file) {}
};

class Train : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    std::string name = (fs::temp_directory_path() / "nephron-train-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    data_ = new fs::path(name);
    write_pictures(*data_ / "data");
  }
  static void TearDownTestSuite() {
    fs::remove_all(*data_);
    delete data_;
  }
  void SetUp() override {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    root_ = *data_ / info->name();
    fs::create_directories(root_);
    write_experiment("");
  }

  /// Dark discs on a bright ground: six slides of 96 x 96.
  static void write_pictures(const fs::path& folder) {
    fs::create_directories(folder / "images");
    fs::create_directories(folder / "masks");
    for (int i = 0; i < 6; ++i) {
      cv::Mat image(96, 96, CV_8UC3, cv::Scalar(220, 200, 230)), mask(96, 96, CV_8UC1, cv::Scalar(0));
      for (int k = 0; k < 3; ++k) {
        const cv::Point centre(15 + 30 * k, 20 + (i * 17 + k * 23) % 56);
        cv::circle(image, centre, 12, cv::Scalar(120, 40 + 10 * i, 130), cv::FILLED);
        cv::circle(mask, centre, 12, cv::Scalar(255), cv::FILLED);
      }
      const std::string name = "s" + std::to_string(i) + ".png";
      cv::imwrite((folder / "images" / name).string(), image);
      cv::imwrite((folder / "masks" / name).string(), mask);
    }
  }

  void write_experiment(const std::string& train, const std::string& loss = "{ type = \"bce\" }") {
    std::ofstream(root_ / "tiny.toml") << R"(
name = "tiny"
seed = 7
classes = ["disc"]
[data]
factor = 1
tile = 32
window = 1.5
workers = 2
folds = { count = 3 }
[[dataset]]
type = "image_folder"
root = "../data"
[sampler]
type = "uniform"
[validation]
sampler = { type = "grid" }
[[augmentation]]
type = "flip"
[model]
encoder = { type = "test-tiny" }
decoder = { type = "test-tiny" }
[loss]
terms = [)" << loss << R"(]
[train]
epochs = 3
steps_per_epoch = 20
batch = 2
threads = 1
optimizer = { type = "adam", lr = 0.02 }
)" << train;
  }

  std::vector<std::string> train_command(std::vector<std::string> more = {}) const {
    std::vector<std::string> out{"train",    (root_ / "tiny.toml").string(),
                                 "--runs",   (root_ / "runs").string(),
                                 "--plugin", NEPHRON_TINY,
                                 "--device", "cpu"};
    out.insert(out.end(), more.begin(), more.end());
    return out;
  }
  /// Other bits among the numbers of a file of tensors, which can still be read.
  static void spoil_numbers(const fs::path& file) {
    std::string bytes = read_file(file);
    constexpr std::size_t some = 32;
    for (std::size_t i = bytes.size() - some; i < bytes.size(); ++i) bytes[i] = static_cast<char>(bytes[i] ^ 0x5a);
    std::ofstream(file, std::ios::binary) << bytes;
    read_tensors(file);
  }
  fs::path output() const { return root_ / "output.txt"; }
  /// Runs to the end and expects this exit code.
  std::string run(std::vector<std::string> arguments, int code) {
    Program program(std::move(arguments), output());
    EXPECT_EQ(program.wait(), code) << program.output();
    return program.output();
  }
  std::vector<fs::path> runs() const {
    std::vector<fs::path> out;
    if (!fs::exists(root_ / "runs/tiny")) return out;
    for (const auto& entry : fs::directory_iterator(root_ / "runs/tiny")) out.push_back(entry.path());
    return out;
  }
  /// Whether a run has this file. One look at the folder: what is being made may be renamed between two.
  bool a_run_has(const char* file) const {
    const std::vector<fs::path> there = runs();
    return !there.empty() && fs::exists(there.front() / file);
  }
  RunFolder only_run() const {
    EXPECT_EQ(runs().size(), 1U);
    return RunFolder::open(runs().at(0));
  }
  /// Where `last` of the only run points; empty when there is none yet.
  fs::path last_checkpoint() const {
    for (const fs::path& run : runs()) {
      std::error_code none;
      const fs::path target = fs::read_symlink(run / "fold-0/checkpoints/last", none);
      if (!none) return target;
    }
    return {};
  }
  /// Weights and optimiser state of a fold's last checkpoint.
  static TensorMap tensors(const RunFolder& run, int fold = 0) {
    TensorMap out = read_tensors(run.fold(fold).weights("last"));
    out.merge(read_tensors(run.fold(fold).weights("last").parent_path() / "state.safetensors"));
    return out;
  }
  static void expect_equal(const TensorMap& a, const TensorMap& b) {
    ASSERT_EQ(a.size(), b.size());
    for (const auto& [name, tensor] : a) EXPECT_TRUE(at::equal(tensor, b.at(name))) << name;
  }
  /// Loss by step; fails when a step is there twice.
  static std::map<std::int64_t, double> losses(const RunFolder& run, int fold = 0) {
    std::map<std::int64_t, double> out;
    for (const auto& [step, values] : read_metrics(run.fold(fold).metrics()))
      for (const auto& [name, value] : values)
        if (name == "loss") {
          EXPECT_TRUE(out.emplace(step, value).second) << "step " << step << " twice";
        }
    return out;
  }

  static inline fs::path* data_ = nullptr;
  fs::path root_;
};

}  // namespace nephron::host
