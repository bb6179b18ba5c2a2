#pragma once

#include <map>
#include <string>
#include <vector>

#include <host/predict/picture_file.hpp>
#include <host/predict/scores.hpp>
#include <host/runs/run.hpp>

namespace nephron::host {

/// The pictures that networks of these folds were trained on, by id, from the slides.json of each: the same file, a
/// file of the same content (only files of one size are read), or a slide of the same name, which may have been written
/// out as a picture. Folds of older runs say nothing.
std::map<std::string, TrainedOn> find_trained_on(const RunFolder& run, const std::vector<int>& folds,
                                                 const std::vector<PictureFile>& pictures);

}  // namespace nephron::host
