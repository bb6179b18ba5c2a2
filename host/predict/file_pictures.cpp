#include <utility>

#include <host/predict/normalised_source.hpp>
#include <host/predict/picture_loader.hpp>
#include <host/slides/opener.hpp>

namespace nephron::host {

namespace {

class FilePictures final : public PictureLoader {
 public:
  FilePictures(const PredictRequest& request, const PredictSettings& settings, const Experiment& experiment,
               const Registry& registry)
      : request_(request),
        settings_(settings),
        normalisation_(Normalisation::of(experiment, registry)),
        opener_(registry),
        pictures_(request.images.empty() ? pictures_of(request.slides) : list_pictures(request.images)),
        truth_(request.masks, experiment.classes,
               compares() ? mask_coding(request.masks_as, request.masks, experiment, registry) : MaskCoding()) {}

  const std::vector<PictureFile>& pictures() const noexcept override { return pictures_; }
  LoadedPicture load(const PictureFile& picture) const override {
    LoadedPicture out = load_picture(picture, opener_, settings_, request_.held_bytes, compares() ? &truth_ : nullptr);
    normalise(out, normalisation_.get(), {picture.id, "", ""});
    return out;
  }
  PictureOutline outline(const PictureFile& picture) const override {
    if (const auto slide = open_as_slide(picture.file, opener_)) return {slide->size(), slide->header().mpp};
    return {size_in_header(picture.file)};
  }
  bool compares() const noexcept override { return !request_.masks.empty(); }
  bool has_truth(const std::string& id) const override { return compares() && truth_.has(id); }
  std::string looked_for(const std::string& id) const override { return truth_.looked_for(id); }

 private:
  const PredictRequest& request_;
  const PredictSettings& settings_;
  std::shared_ptr<const Normalisation> normalisation_;
  mutable ReaderOpener opener_;  // thread-safe, as every SlideOpener
  std::vector<PictureFile> pictures_;
  TruthFolder truth_;
};

}  // namespace

std::unique_ptr<PictureLoader> file_pictures(const PredictRequest& request, const PredictSettings& settings,
                                             const Experiment& experiment, const Registry& registry) {
  return std::make_unique<FilePictures>(request, settings, experiment, registry);
}

}  // namespace nephron::host
