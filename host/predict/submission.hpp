#pragma once

#include <vector>

#include <host/predict/output_folder.hpp>
#include <host/predict/picture_file.hpp>

namespace nephron::host {

/// submission.csv of a prediction, as Kaggle's HuBMAP wants it: "id,predicted", then a line a picture with the runs of
/// its first class. Pictures without a prediction have no runs, and are told.
void write_submission(const OutputFolder& output, const std::vector<PictureFile>& pictures);

}  // namespace nephron::host
