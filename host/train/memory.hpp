#pragma once

#include <cstdint>

#include <c10/core/Device.h>

#include <host/config/experiment.hpp>
#include <host/plugins/registry.hpp>

namespace nephron::host {

/// Makes malloc keep what is freed. Training frees and asks for the same large tensors at every step; by default each
/// of them is mapped, zeroed page by page and unmapped again. Called once, before the first tensor.
void keep_freed_memory();

/// Bytes that a training of the experiment takes at most, without its slides; measured with a small batch through a
/// model that is made for it. On CUDA: those of the device, from what the CPU takes.
std::int64_t training_memory(const Experiment& experiment, const Registry& registry, c10::Device device);

/// Throws Error, before anything else is done, when training cannot fit into the memory that is free, and says which
/// batch would; warns when it is near.
void require_training_memory(const Experiment& experiment, const Registry& registry, c10::Device device);

}  // namespace nephron::host
