#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <host/predict/picture_file.hpp>
#include <host/predict/picture_truth.hpp>
#include <host/predict/settings.hpp>
#include <host/slides/opener.hpp>
#include <host/tiling/glass.hpp>
#include <host/tiling/tile_source.hpp>

namespace nephron::host {

/// A picture that is about to be predicted.
struct LoadedPicture {
  Size size;       ///< its own
  double mpp = 0;  ///< microns per pixel; 0: it does not say
  Reduction reduction;
  std::string fingerprint;
  std::unique_ptr<TileSource> reduced;        ///< at the level that the model works on
  Glass glass;                                ///< knows nothing where all tiles are asked for
  std::shared_ptr<const PictureTruth> truth;  ///< null: not known
};

/// As many_tiles.hpp, by the tiles of a prediction.
bool has_many_tiles(Size reduced, const PredictSettings& settings);

/// A slide that is open, without truth. `mpp`: microns per pixel where the file does not say them.
LoadedPicture load_slide(std::shared_ptr<const SlideReader> slide, double mpp, const PredictSettings& settings,
                         std::int64_t held_bytes);

/// Opens a picture or a slide. Of a slide that takes more than `held_bytes` when reduced, bands are read as they are
/// asked for. `truth`: null: none is looked for. Throws Error that says what is wrong with the file.
LoadedPicture load_picture(const PictureFile& picture, SlideOpener& opener, const PredictSettings& settings,
                           std::int64_t held_bytes, const TruthFolder* truth);

}  // namespace nephron::host
