#pragma once

#include <future>
#include <utility>
#include <vector>

#include <nephron/image.hpp>

#include <host/tiling/tile_source.hpp>

namespace nephron::host {

/// Hands rows on from a thread of its own, while the next ones are computed; few pixels at once. Holds one band.
class RowsBehind final : public ProbabilitySink {
 public:
  explicit RowsBehind(ProbabilitySink& to) : to_(to) {}
  void begin(Size size, int classes) override { to_.begin(size, classes); }
  /// Throws what the rows before met.
  void rows(std::int64_t y, std::span<const ImageView> classes) override {
    finish();
    constexpr std::int64_t worth_a_thread = std::int64_t{1} << 16;
    if (classes.front().size().area() < worth_a_thread) return to_.rows(y, classes);
    std::vector<Image> band;
    for (const ImageView& map : classes) copy(map, band.emplace_back(map.size(), 1, Depth::f32).view());
    handing_ = std::async(std::launch::async, [this, y, band = std::move(band)] {
      std::vector<ImageView> views;
      for (const Image& map : band) views.push_back(map.view());
      to_.rows(y, views);
    });
  }
  /// Waits until all rows are handed on.
  void finish() {
    if (handing_.valid()) handing_.get();
  }

 private:
  ProbabilitySink& to_;
  std::future<void> handing_;
};

}  // namespace nephron::host
