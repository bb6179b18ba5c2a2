#pragma once

#include <string>
#include <vector>

#include <host/predict/output_folder.hpp>
#include <host/predict/picture_file.hpp>

namespace nephron::host {

/// OUT/coco.json: the objects of all pictures that were predicted, from their own COCO files, in one. One picture's are
/// held at a time. `origin`: of all pictures (prediction_origin.hpp).
void write_coco_of_all(const OutputFolder& output, const std::vector<PictureFile>& pictures,
                       const std::vector<std::string>& classes, const std::string& origin);

}  // namespace nephron::host
