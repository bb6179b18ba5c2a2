#include <host/labels/grey_map.hpp>

#include <algorithm>
#include <cmath>

#include <opencv2/imgproc.hpp>

#include <nephron/error.hpp>
#include <nephron/image_cv.hpp>

#include <host/labels/label_image.hpp>
#include <host/labels/tiled_grey.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t most_held = std::int64_t{1} << 27;
constexpr std::int64_t smallest_level = 256;  // longer side, px
constexpr std::int64_t most_read = std::int64_t{1} << 24;

Image halved(const ImageView& from) {
  Image out({(from.width + 1) / 2, (from.height + 1) / 2}, 1);
  cv::Mat to = as_mat(out.view());
  cv::resize(as_mat(from), to, to.size(), 0, 0, cv::INTER_AREA);
  return out;
}

/// A picture in memory, with its halves.
class HeldMap final : public GreyMap {
 public:
  explicit HeldMap(Image largest) {
    for (Image image = std::move(largest);; image = halved(image.view())) {
      sizes_.push_back(image.size());
      bytes_ += static_cast<std::size_t>(image.size().area());
      images_.push_back(image);
      if (std::max(image.size().width, image.size().height) <= smallest_level) break;
    }
  }
  const std::vector<Size>& levels() const noexcept override { return sizes_; }
  void read(std::size_t level, const Region& region, const ImageView& out) const override {
    copy(images_.at(level).view().crop(region), out);
  }
  std::size_t held_bytes() const noexcept override { return bytes_; }

 private:
  std::vector<Image> images_;
  std::vector<Size> sizes_;
  std::size_t bytes_ = 0;
};

/// Read from top to bottom, so that no more is held than is kept.
Image read_whole(const fs::path& file, const Stop& stop) {
  const auto reader = open_label_image(file);
  if (reader->coloured() || reader->depth() != Depth::u8)
    throw Error(file.string() + " is no map of probabilities; expected one channel of 8 bits");
  const Size size = reader->size();
  int by = 1;
  while (size.area() / by / by > most_held) by *= 2;
  Image out({(size.width + by - 1) / by, (size.height + by - 1) / by}, 1);
  const std::int64_t rows = std::clamp<std::int64_t>(most_read / size.width / by * by, by, size.height + by);
  const Image band({size.width, rows}, 1);
  for (std::int64_t y = 0; y < size.height; y += rows) {
    if (stop()) throw Cancelled();
    const ImageView view = band.view().crop({0, 0, size.width, std::min(rows, size.height - y)});
    reader->read(view);
    const std::int64_t top = y / by, height = std::min((view.height + by - 1) / by, out.size().height - top);
    cv::Mat to = as_mat(out.view().crop({0, top, out.size().width, height}));
    cv::resize(as_mat(view), to, to.size(), 0, 0, cv::INTER_AREA);
  }
  return out;
}

struct Span {
  double first = 0, length = 0;
};

/// The smallest level of which a pixel of the result needs one pixel at least.
std::size_t level_for(const GreyMap& map, Size slide, const Region& region, Size size) {
  const double wanted = static_cast<double>(size.width) / static_cast<double>(region.width);
  std::size_t level = 0;
  for (std::size_t l = 1; l < map.levels().size(); ++l)
    if (static_cast<double>(map.levels()[l].width) >= 0.999 * wanted * static_cast<double>(slide.width)) level = l;
  return level;
}

/// The pixels that lie under a stretch of a side.
Span stretch(std::int64_t first, std::int64_t length, std::int64_t slide, std::int64_t level) {
  const double scale = static_cast<double>(level) / static_cast<double>(slide);
  return {static_cast<double>(first) * scale, static_cast<double>(length) * scale};
}

}  // namespace

std::shared_ptr<const GreyMap> open_grey_map(const fs::path& file, const Stop& stop) {
  if (stop()) throw Cancelled();
  if (file.extension() == ".tif" || file.extension() == ".tiff")
    if (auto tiled = open_tiled_grey(file)) return tiled;
  return std::make_shared<HeldMap>(read_whole(file, stop));
}

Image grey_part(const GreyMap& map, Size slide, const Region& region, Size to, const Stop& stop) {
  const std::size_t level = level_for(map, slide, region, to);
  const Size size = map.levels()[level];
  const Span x = stretch(region.x, region.width, slide.width, size.width);
  const auto left = std::min<std::int64_t>(static_cast<std::int64_t>(std::floor(x.first + 1e-6)), size.width - 1);
  const auto right = std::clamp<std::int64_t>(std::llround(x.first + x.length), left + 1, size.width);
  Image out(to, 1);
  // In stripes of rows, so that little is held also where a file has no small level.
  const auto rows_at_once = std::max<std::int64_t>(
      1, static_cast<std::int64_t>(static_cast<double>(most_read / (right - left)) /
                                   std::max(1.0, static_cast<double>(size.height) / static_cast<double>(slide.height) *
                                                     static_cast<double>(region.height) /
                                                     static_cast<double>(to.height))));
  for (std::int64_t row = 0; row < to.height; row += rows_at_once) {
    if (stop()) throw Cancelled();
    const std::int64_t rows = std::min(rows_at_once, to.height - row);
    const std::int64_t from = region.height * row / to.height, end = region.height * (row + rows) / to.height;
    const Span y = stretch(region.y + from, end - from, slide.height, size.height);
    const auto top = std::min<std::int64_t>(static_cast<std::int64_t>(std::floor(y.first + 1e-6)), size.height - 1);
    const auto bottom = std::clamp<std::int64_t>(std::llround(y.first + y.length), top + 1, size.height);
    const Image pixels({right - left, bottom - top}, 1);
    map.read(level, {left, top, right - left, bottom - top}, pixels.view());
    cv::Mat part = as_mat(out.view().crop({0, row, to.width, rows}));
    const bool smaller = part.cols <= pixels.size().width && part.rows <= pixels.size().height;
    cv::resize(as_mat(pixels.view()), part, part.size(), 0, 0, smaller ? cv::INTER_AREA : cv::INTER_LINEAR);
  }
  return out;
}

}  // namespace nephron::host
