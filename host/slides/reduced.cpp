#include <host/slides/reduced.hpp>

#include <algorithm>
#include <cmath>

#include <opencv2/imgproc.hpp>

#include <nephron/error.hpp>
#include <nephron/image_cv.hpp>

#include <host/store/area.hpp>
#include <host/util/interrupt.hpp>

namespace nephron::host {

namespace {

constexpr std::int64_t most_pixels = std::int64_t{1} << 28;
constexpr std::int64_t band_bytes = std::int64_t{1} << 26;

/// Reduces a region in bands; `read` gives pixels of it, `progress` is told of rows.
template <class Read, class Progress>
Image reduce_in_bands(const AreaReduction& reduction, std::int64_t full_width, const Read& read,
                      const Progress& progress) {
  const Size size = reduction.size();
  Image out(size, 3);
  Image pixels;
  const std::int64_t rows = rows_of_band(band_bytes, full_width, reduction.reduction());
  for (std::int64_t y = 0; y < size.height;) {
    if (interrupted()) throw Cancelled();
    const Region part{0, y, size.width, std::min(rows, size.height - y)};
    const Region source = reduction.source_of(part);
    if (reduction.reduction() == 1) {
      read(source, out.view().crop(part));
    } else {
      if (pixels.size() != source.size()) pixels = Image(source.size(), 3);
      read(source, pixels.view());
      reduction.reduce(pixels.view(), source, part, out.view().crop(part));
    }
    y += part.height;
    progress(y, size.height);
  }
  return out;
}

}  // namespace

std::int64_t rows_of_band(std::int64_t bytes, std::int64_t full_width, Reduction reduction) {
  const double row = 3 * static_cast<double>(full_width) * reduction.value();
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(static_cast<double>(bytes) / row));
}

Image read_reduced(const SlideReader& slide, Reduction by) {
  const AreaReduction reduction(slide.size(), by);
  return reduce_in_bands(
      reduction, slide.size().width, [&](const Region& region, const ImageView& out) { slide.read(region, out); },
      [](std::int64_t, std::int64_t) {});
}

Image read_reduced(const SlideFile& slide, int level, const Region& region, Reduction by,
                   const std::function<void(std::int64_t, std::int64_t)>& progress) {
  const AreaReduction reduction(region.size(), by);
  const Size size = reduction.size();
  if (size.area() > most_pixels)
    throw Error("a picture of " + std::to_string(size.width) + " x " + std::to_string(size.height) +
                    " pixels is larger than 2^28 pixels",
                "take a smaller region or a larger --factor");
  const auto read = [&](const Region& r, const ImageView& out) {
    slide.read_level(level, {region.x + r.x, region.y + r.y, r.width, r.height}, out);
  };
  return reduce_in_bands(reduction, region.width, read, progress);
}

Image read_thumbnail(const SlideFile& slide, std::int64_t longest,
                     const std::function<void(std::int64_t, std::int64_t)>& progress) {
  const std::vector<SlideLevel>& levels = slide.header().levels;
  const auto side = [](Size s) { return std::max(s.width, s.height); };
  std::size_t level = 0;
  for (std::size_t l = 1; l < levels.size(); ++l)
    if (side(levels[l].size) >= longest) level = l;
  const Size from = levels[level].size;
  const auto at_most =  // no side may vanish
      std::min<std::int64_t>({from.width, from.height, AreaReduction::largest_factor});
  const auto factor = static_cast<int>(std::clamp<std::int64_t>(side(from) / longest, 1, at_most));
  const Image small = read_reduced(slide, static_cast<int>(level), {0, 0, from.width, from.height}, factor, progress);
  if (side(small.size()) <= longest) return small;
  const double scale = static_cast<double>(longest) / static_cast<double>(side(from));
  const auto scaled = [&](std::int64_t s) {
    return std::max<std::int64_t>(1, std::llround(static_cast<double>(s) * scale));
  };
  Image out({scaled(from.width), scaled(from.height)}, 3);
  cv::Mat to = as_mat(out.view());
  cv::resize(as_mat(small.view()), to, to.size(), 0, 0, cv::INTER_AREA);
  return out;
}

}  // namespace nephron::host
