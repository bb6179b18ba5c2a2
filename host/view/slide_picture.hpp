#pragma once

#include <memory>
#include <mutex>
#include <string>

#include <nephron/image.hpp>
#include <nephron/slide.hpp>

#include <host/view/overview.hpp>
#include <host/view/pyramid_grid.hpp>
#include <host/view/work_slots.hpp>

namespace nephron::host {

/// A slide as deep-zoom tiles. A tile is made of the smallest level of the file that is fine enough; beyond 4 times the
/// last level, where that has more than 2^23 pixels, of an overview (at most 2^26 pixels), which is made once. Memory
/// of a tile: 24 MiB at most where levels are a factor of 8 apart or less and the slide has up to 2^34 pixels. Const
/// calls are thread-safe.
class SlidePicture {
 public:
  explicit SlidePicture(std::shared_ptr<const SlideFile> slide);

  const PyramidGrid& grid() const noexcept { return grid_; }
  const SlideHeader& header() const noexcept { return slide_->header(); }

  struct Tile {
    Image pixels;       ///< u8 RGB
    bool whole = true;  ///< false: made of an overview that is not finished
  };
  /// Throws Error when the file cannot be read, Cancelled when `stop` says so.
  Tile tile(int depth, const PyramidGrid::Place& place, const Stop& stop) const;

  /// The depth from which on tiles are made of the overview; beyond deepest(): none is needed.
  int overview_depth() const noexcept { return overview_depth_; }
  /// Begins the overview where one is needed. How much of it is made, 0 to 1; its problem as an Error.
  double overview_share() const;

 private:
  const Overview& overview() const;
  int level_for(double reduction) const;
  Image of_level(int level, const PyramidGrid::Place& place, const Stop& stop) const;
  Tile of_overview(const PyramidGrid::Place& place, const Stop& stop) const;

  std::shared_ptr<const SlideFile> slide_;
  PyramidGrid grid_;
  int overview_depth_ = 0;
  mutable std::mutex mutex_;
  mutable std::unique_ptr<const Overview> overview_;
};

/// Any slide as a file of one level.
std::shared_ptr<const SlideFile> as_slide_file(std::shared_ptr<const SlideReader> slide, double mpp,
                                               std::string format);

}  // namespace nephron::host
