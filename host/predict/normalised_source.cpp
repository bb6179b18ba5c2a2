#include <host/predict/normalised_source.hpp>

#include <algorithm>
#include <utility>

#include <host/store/colours.hpp>
#include <host/store/tissue.hpp>

namespace nephron::host {

namespace {

class NormalisedSource final : public TileSource {
 public:
  NormalisedSource(std::unique_ptr<TileSource> source, std::shared_ptr<const ColourMap> map)
      : source_(std::move(source)), map_(std::move(map)) {}
  Size size() const noexcept override { return source_->size(); }
  void read(const Region& region, const ImageView& out) const override {
    source_->read(region, out);
    map_->run(out);
  }
  std::string digest() const override { return source_->digest(); }

 private:
  std::unique_ptr<TileSource> source_;
  std::shared_ptr<const ColourMap> map_;
};

/// As preparing a slide finds it.
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

}  // namespace

std::unique_ptr<TileSource> normalised_source(std::unique_ptr<TileSource> source, const Normalisation& normalisation,
                                              const std::string& id, double mpp) {
  const std::optional<SlideColours> colours =
      measure_colours(source->size(), tissue_of(*source),
                      [&](const Region& region, const ImageView& out) { source->read(region, out); });
  auto map = normalisation.map_of({id, "", mpp, colours ? &*colours : nullptr});
  if (map == nullptr) return source;
  return std::make_unique<NormalisedSource>(std::move(source), std::move(map));
}

void normalise(LoadedPicture& picture, const Normalisation* normalisation, const std::string& id) {
  if (normalisation == nullptr) return;
  const double mpp = picture.mpp * picture.reduction.value();
  picture.reduced = normalised_source(std::move(picture.reduced), *normalisation, id, mpp);
}

}  // namespace nephron::host
