#pragma once

#include <string>

#include <host/cuda/kernels.hpp>

namespace nephron::host {

/// Loads LibTorch's CUDA part and libnephron_cuda.so, once; null when that cannot be, and `why` says what is missing.
/// Takes seconds the first time: called only when a CUDA device is asked for. Thread-safe.
const CudaKernels* cuda_kernels(std::string* why = nullptr);

/// The same for whoever has tensors on a CUDA device already. Throws Error when they are not loaded.
const CudaKernels& loaded_kernels();

}  // namespace nephron::host
