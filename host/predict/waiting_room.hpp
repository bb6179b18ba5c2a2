#pragma once

#include <memory>
#include <vector>

#include <host/predict/member.hpp>
#include <host/predict/output_folder.hpp>
#include <host/predict/picture_file.hpp>

namespace nephron::host {

/// Where a threshold is searched and pictures are measured, the rows of all of them wait until it is found
/// (unmeasured_rows.hpp). Throws Error, before any is predicted, where the disk has no room for those of `pictures`
/// whose truth is known. Only headers of files are read; what cannot be opened is left out here, and said later.
void require_room_to_wait(const std::vector<PictureFile>& pictures, const std::vector<std::unique_ptr<Member>>& members,
                          const OutputFolder& output);

}  // namespace nephron::host
