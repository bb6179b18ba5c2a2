#pragma once

#include <chrono>

#include <c10/core/Device.h>
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

namespace nephron::host {

/// Who reduces with whom on CUDA devices, and where they meet.
struct NcclPlace {
  c10::intrusive_ptr<c10d::Store> store;
  int rank = 0, count = 1;
  std::chrono::milliseconds timeout{0};
  c10::Device device;  ///< of this rank
};

/// LibTorch's NCCL group of these ranks. Throws Error where libnephron_cuda.so was built without NCCL's header.
c10::intrusive_ptr<c10d::Backend> nccl_group(const NcclPlace& place);

/// The symbol of libnephron_cuda.so that makes it.
using NcclEntry = c10::intrusive_ptr<c10d::Backend> (*)(const NcclPlace& place);
inline constexpr const char* nccl_entry_name = "nephron_cuda_nccl_3";

}  // namespace nephron::host
