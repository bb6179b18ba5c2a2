#pragma once

namespace nephron::host {

/// Whether this processor has AVX2: what is compiled for it may be called. Always false elsewhere than on x86-64.
inline bool has_avx2() noexcept {
#if defined(__x86_64__)
  static const bool has = __builtin_cpu_supports("avx2") != 0;
  return has;
#else
  return false;
#endif
}

}  // namespace nephron::host
