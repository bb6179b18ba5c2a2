#include <host/predict/normalised_source.hpp>

#include <utility>

#include <host/predict/slide_source.hpp>
#include <host/store/colours.hpp>

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

}  // namespace

std::unique_ptr<TileSource> normalised_source(std::unique_ptr<TileSource> source, const Normalisation& normalisation,
                                              const NamedSlide& slide, double mpp) {
  const std::optional<SlideColours> colours =
      measure_colours(source->size(), tissue_of(*source),
                      [&](const Region& region, const ImageView& out) { source->read(region, out); });
  auto map = normalisation.map_of({slide.id, slide.group, mpp, colours ? &*colours : nullptr, slide.dataset});
  if (map == nullptr) return source;
  return std::make_unique<NormalisedSource>(std::move(source), std::move(map));
}

void normalise(LoadedPicture& picture, const Normalisation* normalisation, const NamedSlide& slide) {
  if (normalisation == nullptr) return;
  const double mpp = picture.mpp * picture.reduction.value();
  picture.reduced = normalised_source(std::move(picture.reduced), *normalisation, slide, mpp);
}

}  // namespace nephron::host
