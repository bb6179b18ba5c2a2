#pragma once

#include <host/runs/run.hpp>

namespace nephron::host {

/// Throws Error, as load_checkpoint() would, where a fold that was begun has the files of no checkpoint any more:
/// before anything is made ready for it.
void require_checkpoint_files(const FoldFolder& fold);

}  // namespace nephron::host
