#include <host/predict/loaded_picture.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

#include <nephron/fingerprint.hpp>

#include <host/predict/slide_source.hpp>
#include <host/slides/reduced.hpp>
#include <host/tiling/many_tiles.hpp>

namespace nephron::host {

namespace {

constexpr std::int64_t small_side = 1024;  // of the copy that glass is looked for in

/// What makes a slide no longer than that, about.
int small_enough(Size size) {
  const std::int64_t by = (std::max(size.width, size.height) + small_side - 1) / small_side;
  return static_cast<int>(std::clamp<std::int64_t>(by, 1, Reduction::largest));
}

bool looks_for_glass(Size reduced, const PredictSettings& settings) {
  return settings.skips_glass() && has_many_tiles(reduced, settings);
}

}  // namespace

bool has_many_tiles(Size reduced, const PredictSettings& settings) {
  return has_many_tiles(reduced, settings.cut(), settings.overlap);
}

LoadedPicture load_slide(std::shared_ptr<const SlideReader> slide, double mpp, const PredictSettings& settings,
                         std::int64_t held_bytes) {
  LoadedPicture out;
  const auto* const file = dynamic_cast<const SlideFile*>(slide.get());
  out.size = slide->size();
  out.mpp = mpp > 0 || file == nullptr ? mpp : file->header().mpp;
  out.fingerprint = fingerprint(*slide);
  out.reduction = settings.reduction_of(out.mpp, out.size);
  const Size reduced = out.reduction.size_of(out.size);
  const bool held = is_held(reduced, held_bytes);
  if (!held && looks_for_glass(reduced, settings)) {
    if (file != nullptr)
      out.glass = Glass(read_thumbnail(*file, small_side, [](std::int64_t, std::int64_t) {}).view(), reduced);
    else out.glass = Glass(read_reduced(*slide, small_enough(out.size)).view(), reduced);
  }
  out.reduced = slide_source(std::move(slide), out.reduction, held_bytes);
  if (held && looks_for_glass(reduced, settings)) out.glass = Glass(tissue_of(*out.reduced), reduced);
  return out;
}

LoadedPicture load_picture(const PictureFile& picture, SlideOpener& opener, const PredictSettings& settings,
                           std::int64_t held_bytes, const TruthFolder* truth) {
  LoadedPicture out;
  if (std::shared_ptr<const SlideFile> slide = open_as_slide(picture.file, opener)) {
    out = load_slide(std::move(slide), 0, settings, held_bytes);
  } else {
    const Image full = read_picture(picture.file);
    out.size = full.size();
    out.fingerprint =
        fingerprint(out.size, [&](const Region& region, const ImageView& to) { copy(full.view().crop(region), to); });
    out.reduction = settings.reduction_of(0, out.size);
    const Image reduced = reduce_picture(full, out.reduction);
    if (looks_for_glass(reduced.size(), settings)) out.glass = Glass(reduced.view(), reduced.size());
    out.reduced = held_source(reduced);
  }
  if (truth != nullptr) out.truth = held_truth(truth->read(picture.id, out.size), out.reduction);
  return out;
}

}  // namespace nephron::host
