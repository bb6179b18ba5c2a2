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

}  // namespace

Image read_reduced(const SlideFile& slide, int level, const Region& region, int factor,
                   const std::function<void(std::int64_t, std::int64_t)>& progress) {
  const AreaReduction reduction(region.size(), factor);
  const Size size = reduction.size();
  if (size.area() > most_pixels)
    throw Error("a picture of " + std::to_string(size.width) + " x " + std::to_string(size.height) +
                    " pixels is larger than 2^28 pixels",
                "take a smaller region or a larger --factor");
  Image out(size, 3);
  Image pixels;
  for (std::int64_t y = 0; y < size.height;) {
    if (interrupted()) throw Cancelled();
    const std::int64_t rows = std::max<std::int64_t>(1, band_bytes / (3 * region.width * factor));
    const Region part{0, y, size.width, std::min(rows, size.height - y)};
    const Region source = reduction.source_of(part);
    if (pixels.size() != source.size()) pixels = Image(source.size(), 3);
    slide.read_level(level, {region.x + source.x, region.y + source.y, source.width, source.height}, pixels.view());
    reduction.reduce(pixels.view(), source, part, out.view().crop(part));
    y += part.height;
    progress(y, size.height);
  }
  return out;
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
