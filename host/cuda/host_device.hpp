#pragma once

/// Marks bodies of kernels: a loop runs them on the CPU, a thin kernel on the GPU.
#if defined(__CUDACC__)
#define NEPHRON_HOST_DEVICE __host__ __device__
#else
#define NEPHRON_HOST_DEVICE
#endif
