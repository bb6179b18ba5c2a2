#pragma once

#include <filesystem>
#include <map>
#include <string>

#include <host/predict/output_folder.hpp>
#include <host/util/work_share.hpp>

namespace nephron::host {

/// Where a process that predicts one share of the pictures of a prediction leaves them: a prediction of its own,
/// OUT/shares/K-of-N.
std::filesystem::path share_folder(const std::filesystem::path& out, const WorkShare& share);

/// Moves what all shares have left into the prediction's own folder, with their scores; a kill in the midst loses
/// nothing, and the next call does the rest. What has to be made of all pictures together is not made. Gives back why
/// they left pictures out, by id. The folder's lock is held. Throws Error where there is nothing, where shares were
/// predicted with different settings, and where one is still being written.
std::map<std::string, std::string> gather_shares(const OutputFolder& output);

}  // namespace nephron::host
