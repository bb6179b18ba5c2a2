#include <host/view/slide_picture.hpp>

#include <algorithm>
#include <cmath>

#include <opencv2/imgproc.hpp>

#include <nephron/error.hpp>
#include <nephron/image_cv.hpp>

namespace nephron::host {

namespace {

constexpr double most_reduction = 4.0001;  // of a level for one tile; levels are rounded to whole pixels
constexpr std::int64_t most_overview = std::int64_t{1} << 26;
constexpr std::int64_t small_level = std::int64_t{1} << 23;  // pixels: read whole for a tile without much ado

/// The pixels of a picture of `size` that a region of the slide lies on.
Region on_level(const Region& region, Size slide, Size size) {
  const auto scaled = [](std::int64_t at, std::int64_t of, std::int64_t to) -> std::int64_t {
    return std::llround(static_cast<double>(at) * static_cast<double>(to) / static_cast<double>(of));
  };
  const std::int64_t left = std::min(scaled(region.x, slide.width, size.width), size.width - 1);
  const std::int64_t top = std::min(scaled(region.y, slide.height, size.height), size.height - 1);
  const std::int64_t right = scaled(region.x + region.width, slide.width, size.width);
  const std::int64_t bottom = scaled(region.y + region.height, slide.height, size.height);
  return {left, top, std::clamp<std::int64_t>(right - left, 1, size.width - left),
          std::clamp<std::int64_t>(bottom - top, 1, size.height - top)};
}

Image brought_to(const Image& from, Size size) {
  if (from.size() == size) return from;
  Image out(size, 3);
  cv::Mat to = as_mat(out.view());
  const bool smaller = size.width <= from.size().width && size.height <= from.size().height;
  cv::resize(as_mat(from.view()), to, to.size(), 0, 0, smaller ? cv::INTER_AREA : cv::INTER_LINEAR);
  return out;
}

class OneLevel final : public SlideFile {
 public:
  OneLevel(std::shared_ptr<const SlideReader> slide, double mpp, std::string format) : slide_(std::move(slide)) {
    header_.levels = {{slide_->size(), 1.0}};
    header_.mpp = mpp;
    header_.format = std::move(format);
  }
  Size size() const noexcept override { return slide_->size(); }
  const SlideHeader& header() const noexcept override { return header_; }
  void read(const Region& region, const ImageView& out) const override { slide_->read(region, out); }
  void read_level(int, const Region& region, const ImageView& out) const override { slide_->read(region, out); }

 private:
  std::shared_ptr<const SlideReader> slide_;
  SlideHeader header_;
};

}  // namespace

std::shared_ptr<const SlideFile> as_slide_file(std::shared_ptr<const SlideReader> slide, double mpp,
                                               std::string format) {
  return std::make_shared<OneLevel>(std::move(slide), mpp, std::move(format));
}

SlidePicture::SlidePicture(std::shared_ptr<const SlideFile> slide) : slide_(std::move(slide)), grid_(slide_->size()) {
  const auto needs_overview = [&](int depth) {
    const double reduction = std::ldexp(1.0, depth);
    const SlideLevel& from = header().levels[static_cast<std::size_t>(level_for(reduction))];
    return reduction / from.downsample > most_reduction && from.size.area() > small_level;
  };
  const auto too_large = [&](int depth) {
    return static_cast<double>(slide_->size().area()) / std::ldexp(1.0, 2 * depth) > most_overview;
  };
  overview_depth_ = grid_.deepest() + 1;
  while (overview_depth_ > 0 && needs_overview(overview_depth_ - 1)) --overview_depth_;  // beyond the last level
  while (overview_depth_ <= grid_.deepest() && too_large(overview_depth_)) ++overview_depth_;
}

int SlidePicture::level_for(double reduction) const {
  const std::vector<SlideLevel>& levels = header().levels;
  int best = 0;
  for (std::size_t l = 1; l < levels.size(); ++l) {
    const double here = levels[l].downsample;
    if (here <= reduction * 1.0001 && here > levels[static_cast<std::size_t>(best)].downsample)
      best = static_cast<int>(l);
  }
  return best;
}

SlidePicture::Tile SlidePicture::tile(int depth, const PyramidGrid::Place& place, const Stop& stop) const {
  if (stop()) throw Cancelled();
  if (depth >= overview_depth_) return of_overview(place, stop);
  return {of_level(level_for(std::ldexp(1.0, depth)), place, stop), true};
}

Image SlidePicture::of_level(int level, const PyramidGrid::Place& place, const Stop& stop) const {
  const Region region = on_level(place.region, slide_->size(), header().levels[static_cast<std::size_t>(level)].size);
  const Image pixels(region.size(), 3);
  slide_->read_level(level, region, pixels.view());
  if (stop()) throw Cancelled();
  return brought_to(pixels, place.size);
}

SlidePicture::Tile SlidePicture::of_overview(const PyramidGrid::Place& place, const Stop& stop) const {
  const Overview& all = overview();
  if (const std::string problem = all.problem(); !problem.empty()) throw Error(problem);
  const Region region = on_level(place.region, slide_->size(), all.size());
  const Image pixels(region.size(), 3);
  const bool whole = all.read(region, pixels.view());
  if (stop()) throw Cancelled();
  return {brought_to(pixels, place.size), whole};
}

const Overview& SlidePicture::overview() const {
  const std::scoped_lock lock(mutex_);
  if (overview_ == nullptr) {
    const double reduction = std::ldexp(1.0, overview_depth_);
    const int level = level_for(reduction);
    const SlideLevel& from = header().levels[static_cast<std::size_t>(level)];
    const auto shortest = static_cast<double>(std::min(from.size.width, from.size.height));  // no side may vanish
    const double by = std::clamp(reduction / from.downsample, 1.0, std::min<double>(shortest, Reduction::largest));
    overview_ = std::make_unique<const Overview>(slide_, level, Reduction::of(by));
  }
  return *overview_;
}

double SlidePicture::overview_share() const {
  if (overview_depth_ > grid_.deepest()) return 1;
  const Overview& all = overview();
  if (const std::string problem = all.problem(); !problem.empty()) throw Error(problem);
  return static_cast<double>(all.rows_made()) / static_cast<double>(all.size().height);
}

}  // namespace nephron::host
