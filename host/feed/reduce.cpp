#include <host/feed/reduce.hpp>

#include <algorithm>

#include <opencv2/imgproc.hpp>

#include <nephron/error.hpp>
#include <nephron/image_cv.hpp>

#include <host/util/interrupt.hpp>

namespace nephron::host {

namespace {
constexpr std::int64_t band_rows = 512;
}

Image read_reduced(const SlideReader& slide, int factor) {
  const Size full = slide.size();
  const Size size{full.width / factor, full.height / factor};
  if (size.empty())
    throw Error("the slide of " + std::to_string(full.width) + " x " + std::to_string(full.height) +
                    " px has nothing left after reduction by " + std::to_string(factor),
                "choose a smaller data.factor");
  Image out(size, 3);
  // A side that is no multiple is stretched over its whole length by INTER_AREA, so bands would not be the same.
  const bool banded = full.width % factor == 0 && full.height % factor == 0;
  const std::int64_t rows = banded ? std::min(band_rows, size.height) : size.height;
  Image band;
  if (factor > 1) band = Image({full.width, banded ? rows * factor : full.height}, 3);
  for (std::int64_t y = 0; y < size.height; y += rows) {
    if (interrupted()) throw Cancelled();
    const std::int64_t n = std::min(rows, size.height - y);
    const ImageView to = out.view().crop({0, y, size.width, n});
    if (factor == 1) {
      slide.read({0, y, full.width, n}, to);
      continue;
    }
    const Region region{0, y * factor, full.width, banded ? n * factor : full.height};
    const ImageView from = band.view().crop({0, 0, full.width, region.height});
    slide.read(region, from);
    cv::Mat small = as_mat(to);
    cv::resize(as_mat(from), small, small.size(), 0, 0, cv::INTER_AREA);
  }
  return out;
}

}  // namespace nephron::host
