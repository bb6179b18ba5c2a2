#include <host/predict/loaded_picture.hpp>

#include <utility>

#include <nephron/fingerprint.hpp>

#include <host/predict/slide_source.hpp>

namespace nephron::host {

LoadedPicture load_picture(const PictureFile& picture, SlideOpener& opener, const PredictSettings& settings,
                           std::int64_t held_bytes, const TruthFolder* truth) {
  LoadedPicture out;
  if (std::shared_ptr<const SlideFile> slide = open_as_slide(picture.file, opener)) {
    out.size = slide->size();
    out.mpp = slide->header().mpp;
    out.fingerprint = fingerprint(*slide);
    out.reduction = settings.reduction_of(out.mpp, out.size);
    out.reduced = slide_source(std::move(slide), out.reduction, held_bytes);
  } else {
    const Image full = read_picture(picture.file);
    out.size = full.size();
    out.fingerprint =
        fingerprint(out.size, [&](const Region& region, const ImageView& to) { copy(full.view().crop(region), to); });
    out.reduction = settings.reduction_of(0, out.size);
    out.reduced = held_source(reduce_picture(full, out.reduction));
  }
  if (truth != nullptr) out.truth = held_truth(truth->read(picture.id, out.size), out.reduction);
  return out;
}

}  // namespace nephron::host
