#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <host/predict/kept.hpp>
#include <host/predict/output_folder.hpp>
#include <host/predict/picture_file.hpp>
#include <host/predict/prediction_origin.hpp>

namespace nephron::host {

/// Masks of all pictures that are computed, and what is made of them, at the thresholds that a search found: an index
/// of searched_thresholds a class. Throws Cancelled after Ctrl-C.
void write_searched_masks(const OutputFolder& output, const Kept& kept, const std::vector<std::string>& classes,
                          const std::vector<PictureFile>& pictures, const std::vector<std::size_t>& thresholds,
                          const PredictionOrigin& origin);

}  // namespace nephron::host
