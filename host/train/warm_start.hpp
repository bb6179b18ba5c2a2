#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <torch/nn/module.h>

#include <host/data/folds.hpp>
#include <host/runs/environment.hpp>

namespace nephron::host {

// `train --from RUN`: a new run that begins with the weights of another one.

/// Finds the weights for these folds: those of the same fold, or of the one fold that `run` names. Throws Error when
/// one of them has none.
std::vector<FoldOrigin> find_origins(const std::filesystem::path& run, const std::string& checkpoint,
                                     const std::vector<int>& folds);

/// Throws Error when weights were trained on slides that their new fold holds out; warns when nobody can tell.
void require_unseen_by(const FoldOrigin& origin, const Experiment& experiment, const PreparedData& data,
                       const FoldSlides& slides);

/// Puts the weights into the network. Throws Error when the file is another than it was, or its tensors do not fit.
void load_origin(const FoldOrigin& origin, torch::nn::Module& network);

}  // namespace nephron::host
