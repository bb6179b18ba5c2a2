#define LANES 4
#include "norm_rows_body.hpp"

namespace nephron::nn {

const NormRows norm_rows_plain{&statistics, &forward, &reduce, &backward};

const NormRows& norm_rows() noexcept {
#ifdef __x86_64__
  static const NormRows& best = __builtin_cpu_supports("avx512f")                                 ? norm_rows_avx512
                                : __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? norm_rows_avx2
                                                                                                  : norm_rows_plain;
  return best;
#else
  return norm_rows_plain;
#endif
}

}  // namespace nephron::nn
