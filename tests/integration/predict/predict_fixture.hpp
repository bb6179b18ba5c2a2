#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <host/predict/picture_file.hpp>
#include <host/util/files.hpp>
#include <host/weights/weights.hpp>

// Whole runs of `nephron predict` on a network whose answer is known: sigmoid(4 (red - mean) / deviation).
namespace nephron::host {

namespace fs = std::filesystem;

struct Outcome {
  int code = -1;
  std::string text;  ///< stdout and stderr
};

/// `words`: for a shell.
inline Outcome said_by(const std::string& words) {
  Outcome out;
  FILE* const pipe = ::popen(("exec 2>&1; " + words).c_str(), "r");
  std::array<char, 4096> buffer;
  for (std::size_t n = 0; (n = ::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) out.text.append(buffer.data(), n);
  const int status = ::pclose(pipe);
  out.code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return out;
}

inline Outcome nephron(const std::string& arguments) { return said_by(NEPHRON_PROGRAM " " + arguments); }

constexpr const char* echo_experiment = R"(name = "echo"
classes = ["glomerulus"]
plugins = ["%s"]
[data]
factor = %d
tile = 32
mean = [0.5, 0.5, 0.5]
std = [0.25, 0.25, 0.25]
[[dataset]]
type = "synthetic"
slides = 1
size = [96, 64]
[sampler]
type = "uniform"
[model]
encoder = { type = "test-echo" }
decoder = { type = "test-echo" }
[loss]
terms = [{ type = "bce" }]
[train]
batch = 2
)";

inline float expected(std::uint8_t red) {
  return 1.0F / (1.0F + std::exp(-4.0F * (static_cast<float>(red) - 127.5F) / 63.75F));
}

class Predict : public ::testing::Test {
 protected:
  void SetUp() override {
    root = fs::temp_directory_path() / ("nephron-predict-" + std::to_string(::getpid()));
    fs::remove_all(root);
    fs::create_directories(root / "images");
    fs::create_directories(root / "masks");
    run = make_run(1);
    put_picture("a", {70, 45});
    put_picture("b", {16, 16});
    put_picture("c", {5, 100});
  }
  void TearDown() override { fs::remove_all(root); }

  /// A run as training leaves it. A second fold says the opposite of the first.
  fs::path make_run(int factor, int folds = 1) const {
    const fs::path folder =
        root / "runs/echo" / ("20260101-000000-00000" + std::to_string(factor) + std::to_string(folds));
    char text[2048];
    std::snprintf(text, sizeof text, echo_experiment, NEPHRON_ECHO, factor);
    for (int k = 0; k < folds; ++k) {
      const fs::path step = folder / ("fold-" + std::to_string(k)) / "checkpoints/step-7";
      fs::create_directories(step);
      at::Tensor weight = at::zeros({1, 3, 1, 1});
      weight.select(1, 0).fill_(k == 0 ? 4.0 : -4.0);
      write_tensors(step / "weights.safetensors",
                    {{"segmentation_head.0.weight", weight}, {"segmentation_head.0.bias", at::zeros({1})}});
      fs::create_directory_symlink("step-7", step.parent_path() / "best");
      fs::create_directory_symlink("step-7", step.parent_path() / "last");
    }
    std::ofstream(folder / "experiment.resolved.toml") << text;
    return folder;
  }

  void put_picture(const std::string& id, Size size) const {
    Image picture(size, 3), mask(size, 1);
    for (std::int64_t y = 0; y < size.height; ++y) {
      for (std::int64_t x = 0; x < size.width; ++x) {
        const std::uint8_t red = static_cast<std::uint8_t>((x * 7 + y * 13) % 256);
        picture.view().row<std::uint8_t>(y)[3 * x] = red;
        mask.view().row<std::uint8_t>(y)[x] = red > 127 ? 255 : 0;  // what the network says
      }
    }
    save_png(root / "images" / (id + ".png"), picture.view());
    save_png(root / "masks" / (id + ".png"), mask.view());
  }

  Outcome predict(const std::string& more = "", const fs::path& which = {}) const {
    return nephron("predict " + (which.empty() ? run : which).string() + " --images " + (root / "images").string() +
                   " --out " + (root / "out").string() + " " + more);
  }
  std::string masks() const { return " --masks " + (root / "masks").string() + " "; }
  fs::path output(const std::string& kind, const std::string& id) const {
    return root / "out" / kind / "glomerulus" / (id + ".png");
  }

  /// Greatest difference from the known answer, in steps of 1/255.
  int worst(const std::string& id) const {
    const Image picture = read_picture(root / "images" / (id + ".png")),
                map = read_picture(output("probabilities", id));
    EXPECT_EQ(picture.size(), map.size());
    int worst = 0;
    for (std::int64_t y = 0; y < map.size().height; ++y) {
      for (std::int64_t x = 0; x < map.size().width; ++x) {
        const int wanted = static_cast<int>(std::lround(255 * expected(picture.view().row<std::uint8_t>(y)[3 * x])));
        worst = std::max(worst, std::abs(wanted - map.view().row<std::uint8_t>(y)[3 * x]));
      }
    }
    return worst;
  }

  fs::path root, run;
};

}  // namespace nephron::host
