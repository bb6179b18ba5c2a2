#include <host/view/overview.hpp>

#include <algorithm>
#include <cstring>

#include <host/slides/reduced.hpp>
#include <host/store/area.hpp>

namespace nephron::host {

namespace {

constexpr std::int64_t band_bytes = std::int64_t{1} << 25;
constexpr int grey_of_missing = 226;

}  // namespace

Overview::Overview(std::shared_ptr<const SlideFile> slide, int level, Reduction reduction)
    : pixels_(reduction.size_of(slide->header().levels.at(static_cast<std::size_t>(level)).size), 3) {
  thread_ = std::thread([this, slide = std::move(slide), level, reduction] {
    try {
      make(*slide, level, reduction);
    } catch (const std::exception& e) {
      const std::scoped_lock lock(mutex_);
      problem_ = e.what();
    }
  });
}

Overview::~Overview() {
  ends_ = true;
  thread_.join();
}

void Overview::make(const SlideFile& slide, int level, Reduction by) {
  const Size full = slide.header().levels[static_cast<std::size_t>(level)].size;
  const AreaReduction reduction(full, by);
  const std::int64_t rows = rows_of_band(band_bytes, full.width, by);
  Image band;
  for (std::int64_t y = 0; y < size().height && !ends_;) {
    const Region part{0, y, size().width, std::min(rows, size().height - y)};
    const Region source = reduction.source_of(part);
    if (band.size() != source.size()) band = Image(source.size(), 3);
    slide.read_level(level, source, band.view());
    reduction.reduce(band.view(), source, part, pixels_.view().crop(part));
    y += part.height;
    rows_ = y;  // what is below it is written by then
  }
}

std::string Overview::problem() const {
  const std::scoped_lock lock(mutex_);
  return problem_;
}

bool Overview::read(const Region& region, const ImageView& out) const {
  const std::int64_t made = rows_;
  for (std::int64_t y = 0; y < region.height; ++y) {
    std::uint8_t* const to = out.row<std::uint8_t>(y);
    const auto bytes = static_cast<std::size_t>(3 * region.width);
    if (region.y + y < made) std::memcpy(to, pixels_.view().row<std::uint8_t>(region.y + y) + 3 * region.x, bytes);
    else std::memset(to, grey_of_missing, bytes);
  }
  return region.y + region.height <= made;
}

}  // namespace nephron::host
