#pragma once

#include <memory>
#include <string>

#include <host/feed/normalisation.hpp>
#include <host/predict/loaded_picture.hpp>
#include <host/tiling/tile_source.hpp>

namespace nephron::host {

/// What a source is a picture of, to those that look for what is known of it.
struct NamedSlide {
  std::string id, group, dataset;  ///< empty: of none
};

/// The source with its colours mapped as "normalise" says of a slide. All of it is read once, to find its tissue, and
/// parts of the tissue again. `mpp`: of its pixels; 0: not known.
std::unique_ptr<TileSource> normalised_source(std::unique_ptr<TileSource> source, const Normalisation& normalisation,
                                              const NamedSlide& slide, double mpp);

/// Lets a picture be read so; `normalisation`: null: it stays as it is.
void normalise(LoadedPicture& picture, const Normalisation* normalisation, const NamedSlide& slide);

}  // namespace nephron::host
