#pragma once

#include <string>

#include <host/cuda/kernels.hpp>

namespace nephron::host {

/// Loads LibTorch's CUDA part and libnephron_cuda.so, once; null when that cannot be, and `why` says what is missing.
/// Takes seconds the first time: called only when a CUDA device is asked for. Thread-safe.
const CudaKernels* cuda_kernels(std::string* why = nullptr);

/// The same for whoever has tensors on a CUDA device already. Throws Error when they are not loaded.
const CudaKernels& loaded_kernels();

/// A symbol of libnephron_cuda.so; null where it has none, or is not loaded.
void* cuda_symbol(const char* name);

}  // namespace nephron::host
