#pragma once

// nn/ is bound to the exact build, as tensors are (docs/plugins.md, rule 8).
#include <torch/nn/module.h>

#include <nephron/export.hpp>
#include <nephron/nn/build.hpp>
#include <nephron/nn/conv.hpp>

namespace nephron::nn {

/// Puts every BatchNorm2d into the Conv2d that stands right before it among its parent's children, and returns how many
/// were. Faster inference: one pass over the map less. Only for a module in evaluation mode that is not trained any
/// more. Children are not always run in the order of their names: whoever folds a module that he did not write compares
/// its output before and after.
NEPHRON_API int fold_batch_norms(torch::nn::Module& module);

/// Packs the weights of every Conv2d of a module, itself included, for inference on a CPU (Conv2d::freeze), and returns
/// how many were. After fold_batch_norms(), and like it only for a module that is not trained any more. Maps of another
/// type are converted.
NEPHRON_API int freeze_for_inference(torch::nn::Module& module, const Freezing& how = {});

}  // namespace nephron::nn
