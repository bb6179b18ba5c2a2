#include <host/predict/slide_source.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

#include <nephron/error.hpp>

#include <host/slides/reduced.hpp>
#include <host/store/area.hpp>
#include <host/store/digest.hpp>
#include <host/util/interrupt.hpp>

namespace nephron::host {

namespace {

constexpr std::int64_t band_bytes = std::int64_t{1} << 26;

class HeldSource final : public TileSource {
 public:
  explicit HeldSource(Image picture) : picture_(std::move(picture)) {}
  Size size() const noexcept override { return picture_.size(); }
  void read(const Region& region, const ImageView& out) const override { copy(picture_.view().crop(region), out); }
  std::string digest() const override { return picture_digest(picture_.view()); }

 private:
  Image picture_;
};

class BandedSource final : public TileSource {
 public:
  BandedSource(std::shared_ptr<const SlideReader> slide, Reduction reduction)
      : slide_(std::move(slide)), reduction_(slide_->size(), reduction), digest_(reduction_.size(), 3, 255) {}
  Size size() const noexcept override { return reduction_.size(); }
  void read(const Region& region, const ImageView& out) const override {
    if (region.y < band_.y || region.y + region.height > band_.y + band_.height) load(region.y, region.height);
    copy(pixels_.view().crop({region.x, region.y - band_.y, region.width, region.height}), out);
  }
  std::string digest() const override {
    constexpr std::int64_t rows = 512;
    while (digest_.rows() < size().height) load(digest_.rows(), std::min(rows, size().height - digest_.rows()));
    return digest_.hex();
  }

 private:
  /// Reads rows [y, y + height), but for those at its top that the last band had.
  void load(std::int64_t y, std::int64_t height) const {
    const std::int64_t width = size().width, kept = keep(y, height);
    const std::int64_t rows = rows_of_band(band_bytes, slide_->size().width, reduction_.reduction());
    Image full;
    for (std::int64_t done = kept; done < height;) {
      if (interrupted()) throw Cancelled();
      const Region part{0, y + done, width, std::min(rows, height - done)};
      const Region source = reduction_.source_of(part);
      const ImageView to = pixels_.view().crop({0, done, width, part.height});
      if (reduction_.reduction() == 1) {
        slide_->read(source, to);
      } else {
        if (full.size() != source.size()) full = Image(source.size(), 3);
        slide_->read(source, full.view());
        reduction_.reduce(full.view(), source, part, to);
      }
      done += part.height;
    }
    band_ = {0, y, width, height};
    // Bands come from the top down and overlap: what is new of this one is digested.
    if (const std::int64_t known = digest_.rows(); y <= known && y + height > known)
      digest_.add(pixels_.view().crop({0, known - y, width, y + height - known}));
  }

  /// Makes room for a band, with the rows of the last one that it begins with; their number.
  std::int64_t keep(std::int64_t y, std::int64_t height) const {
    const std::int64_t width = size().width, from = y - band_.y;
    std::int64_t kept = from >= 0 && from < band_.height ? std::min(band_.height - from, height) : 0;
    if (pixels_.size() != Size{width, height}) {
      Image room({width, height}, 3);
      if (kept > 0) copy(pixels_.view().crop({0, from, width, kept}), room.view().crop({0, 0, width, kept}));
      pixels_ = std::move(room);
    } else if (kept > 0 && from > 0) {
      for (std::int64_t row = 0; row < kept; ++row)
        std::memcpy(pixels_.view().row<std::uint8_t>(row), pixels_.view().row<const std::uint8_t>(from + row),
                    static_cast<std::size_t>(3 * width));
    }
    band_ = {};  // until it is whole
    return kept;
  }

  std::shared_ptr<const SlideReader> slide_;
  AreaReduction reduction_;
  mutable Image pixels_;  // of band_; a TileSource has one reader at a time
  mutable Region band_;
  mutable RowsDigest digest_;
};

}  // namespace

bool is_held(Size reduced, std::int64_t held_bytes) { return 3 * reduced.area() <= held_bytes; }

Tissue tissue_of(const TileSource& source) {
  constexpr std::int64_t rows = 256;  // a multiple of every block
  SmallPicture small(source.size());
  const Size size = source.size();
  for (std::int64_t y = 0; y < size.height; y += rows) {
    const Region band{0, y, size.width, std::min(rows, size.height - y)};
    const Image pixels(band.size(), 3);
    source.read(band, pixels.view());
    small.add(pixels.view(), 0, y);
  }
  return small.tissue();
}

std::unique_ptr<TileSource> held_source(Image reduced) { return std::make_unique<HeldSource>(std::move(reduced)); }

std::unique_ptr<TileSource> slide_source(std::shared_ptr<const SlideReader> slide, Reduction reduction,
                                         std::int64_t held_bytes) {
  if (is_held(reduction.size_of(slide->size()), held_bytes)) return held_source(read_reduced(*slide, reduction));
  return std::make_unique<BandedSource>(std::move(slide), reduction);
}

}  // namespace nephron::host
