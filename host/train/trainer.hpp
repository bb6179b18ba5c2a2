#pragma once

#include <host/train/fold_job.hpp>

namespace nephron::host {

/// Trains one fold to its end, or until Ctrl-C. Throws Error; a NaN loss leaves a checkpoint beside the others.
FoldResult train_fold(const FoldJob& job);

}  // namespace nephron::host
