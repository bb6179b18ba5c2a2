#pragma once

#include <cstdint>
#include <exception>
#include <filesystem>

#include <c10/core/Device.h>

#include <host/config/experiment.hpp>
#include <host/plugins/registry.hpp>

namespace nephron::host {

/// Makes malloc keep what is freed. Training frees and asks for the same large tensors at every step; by default each
/// of them is mapped, zeroed page by page and unmapped again. Called once, before the first tensor.
void keep_freed_memory();

/// Lets all threads take their memory from one heap. By default malloc gives threads that run side by side heaps of
/// their own, and what is freed in one is used by no other: slides that threads decode in turn, and hold in one cache
/// of a stated size, would lie in as many heaps as there were threads at a time, each as large as the cache. Called
/// before the first of them.
void share_one_heap();

/// Gives to the machine what was freed until now, for other processes; where malloc does not keep it.
void give_back_freed_memory();

/// Bytes that a training of the experiment takes at most, without its slides; measured with a small batch through a
/// model that is made for it. On CUDA: those of the device, from what the CPU takes.
std::int64_t training_memory(const Experiment& experiment, const Registry& registry, c10::Device device);

/// Throws Error, before anything else is done, when training cannot fit into the memory that is free, and says which
/// batch would; warns when it is near. `together`: processes that train at a time.
void require_training_memory(const Experiment& experiment, const Registry& registry, c10::Device device,
                             int together = 1);

/// Tiles of the largest batch that fits into the memory that is free, a power of two of 64 at most; 1 where none does.
int fitting_batch(const Experiment& experiment, const Registry& registry, c10::Device device, int together = 1);

/// For what was thrown while a fold was trained: throws Error that says how much memory was taken and what to lower,
/// when that is what it says. `run`: the run's folder.
void explain_out_of_memory(const std::exception& thrown, const Experiment& experiment, c10::Device device,
                           const std::filesystem::path& run);

}  // namespace nephron::host
