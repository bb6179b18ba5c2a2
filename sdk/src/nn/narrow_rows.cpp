#include "narrow_rows.hpp"

namespace nephron::nn {

const NarrowKernels* narrow_kernels() noexcept {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx512f")) return &narrow_kernels_avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &narrow_kernels_avx2;
#endif
  return nullptr;
}

}  // namespace nephron::nn
