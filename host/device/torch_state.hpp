#pragma once

#include <cstdint>
#include <exception>

#include <c10/core/Device.h>

// What LibTorch keeps for the whole process.
namespace nephron::host {

/// Makes torch's random numbers of this step (dropout, stochastic depth) a function of `key` alone, so that a resumed
/// run draws what an unbroken one draws.
void seed_torch(std::uint64_t key, c10::Device device);

/// Threads of torch's CPU backend; 0: all cores, divided among `processes` that share the machine. Numbers too small
/// for full precision, which slow a CPU down, count as 0 from then on.
void set_torch_threads(int threads, int processes = 1);
int torch_threads();

/// Kernels that give the same bits each time, or the fastest: a choice on CUDA alone. A CPU with a fixed number of
/// threads gives the same bits anyway. `on` is strict: an operation that has no deterministic form throws.
void set_deterministic(bool on);
/// For what was thrown while it is on: throws Error that names the operation and the key, when that is what it says.
void explain_determinism(const std::exception& thrown);

}  // namespace nephron::host
