#pragma once

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include <nephron/slide.hpp>

namespace nephron::host {

/// A slide for tests, whose red is x / 16 and whose green is y / 16 at level 0; a level below has what stands at the
/// same place. Counts the pixels that are read.
class TestSlide final : public SlideFile {
 public:
  TestSlide(Size size, const std::vector<int>& downsamples, std::chrono::milliseconds pause = {}) : pause_(pause) {
    for (const int by : downsamples)
      header_.levels.push_back({{size.width / by, size.height / by}, static_cast<double>(by)});
    header_.mpp = 0.5;
    header_.tile = {256, 256};
    header_.format = "made for a test";
  }
  Size size() const noexcept override { return header_.levels.front().size; }
  const SlideHeader& header() const noexcept override { return header_; }
  void read(const Region& region, const ImageView& out) const override { read_level(0, region, out); }
  void read_level(int level, const Region& region, const ImageView& out) const override {
    std::this_thread::sleep_for(pause_);
    pixels_read += region.width * region.height;
    const auto by = static_cast<std::int64_t>(header_.levels[static_cast<std::size_t>(level)].downsample);
    for (std::int64_t y = 0; y < region.height; ++y) {
      auto* const row = out.row<std::uint8_t>(y);
      for (std::int64_t x = 0; x < region.width; ++x) {
        row[3 * x] = static_cast<std::uint8_t>((region.x + x) * by / 16);
        row[3 * x + 1] = static_cast<std::uint8_t>((region.y + y) * by / 16);
        row[3 * x + 2] = 7;
      }
    }
  }

  mutable std::atomic<std::int64_t> pixels_read{0};

 private:
  std::chrono::milliseconds pause_;
  SlideHeader header_;
};

}  // namespace nephron::host
