#pragma once

#include <memory>
#include <string>

#include <host/feed/normalisation.hpp>
#include <host/predict/loaded_picture.hpp>
#include <host/tiling/tile_source.hpp>

namespace nephron::host {

/// The source with its colours mapped as "normalise" says of slide `id`. All of it is read once, to find its tissue,
/// and parts of the tissue again. `mpp`: of its pixels; 0: not known.
std::unique_ptr<TileSource> normalised_source(std::unique_ptr<TileSource> source, const Normalisation& normalisation,
                                              const std::string& id, double mpp);

/// Lets a picture be read so; `normalisation`: null: it stays as it is.
void normalise(LoadedPicture& picture, const Normalisation* normalisation, const std::string& id);

}  // namespace nephron::host
