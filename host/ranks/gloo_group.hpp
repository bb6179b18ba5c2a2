#pragma once

#include <chrono>

#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

namespace nephron::host {

/// LibTorch's Gloo group of these ranks, for tensors on the CPU. GLOO_SOCKET_IFNAME names the network interface;
/// without it, Gloo takes the one of the machine's name.
c10::intrusive_ptr<c10d::Backend> gloo_group(const c10::intrusive_ptr<c10d::Store>& store, int rank, int count,
                                             std::chrono::milliseconds timeout);

}  // namespace nephron::host
