#pragma once

#include <nlohmann/json.hpp>

#include <tests/integration/train/train_fixture.hpp>

namespace nephron::host {

/// Runs with a plugin that is built anew between, on slides of the test's own.
class Replay : public Train {
 protected:
  void SetUp() override {
    Train::SetUp();
    write_pictures(root_ / "slides");
    write_experiment("", "{ type = \"test-scaled\" }");
    std::string text = read_file(root_ / "tiny.toml");
    text.replace(text.find("../data"), 7, "slides");
    write_file_atomically(root_ / "tiny.toml", text);
    build_plugin(NEPHRON_SCALED_1);
  }
  /// As a linker does: a new file in the place of the old one.
  void build_plugin(const char* from) const {
    fs::copy_file(from, root_ / "new.so", fs::copy_options::overwrite_existing);
    fs::rename(root_ / "new.so", root_ / "scaled.so");
  }
  std::string plugin() const { return (root_ / "scaled.so").string(); }
  /// Trains `steps` in one epoch and gives the run.
  fs::path trained(int steps, std::vector<std::string> more = {}) const {
    std::vector<std::string> command = train_command(
        {"--plugin", plugin(), "--set", "train.epochs=1", "--set", "train.steps_per_epoch=" + std::to_string(steps)});
    command.insert(command.end(), more.begin(), more.end());
    const std::vector<fs::path> before = runs();
    Program program(command, output());
    EXPECT_EQ(program.wait(), 0) << program.output();
    for (const fs::path& run : runs())
      if (std::find(before.begin(), before.end(), run) == before.end()) return run;
    ADD_FAILURE() << "no run was made: " << program.output();
    return {};
  }
  /// One pixel of one slide, by one level of one colour.
  void change_pixel(const std::string& slide) const {
    const fs::path file = root_ / "slides/images" / (slide + ".png");
    cv::Mat image = cv::imread(file.string(), cv::IMREAD_COLOR);
    image.at<cv::Vec3b>(48, 48)[1] ^= 1;
    cv::imwrite(file.string(), image);
  }
  static nlohmann::json json_of(const fs::path& file) { return nlohmann::json::parse(read_file(file)); }
};

}  // namespace nephron::host
