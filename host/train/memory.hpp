#pragma once

namespace nephron::host {

/// Makes malloc keep what is freed. Training frees and asks for the same large tensors at every step; by default each
/// of them is mapped, zeroed page by page and unmapped again. Called once, before the first tensor.
void keep_freed_memory();

}  // namespace nephron::host
