// Compiled for processors with these instructions: sdk/CMakeLists.txt.
#ifdef __x86_64__
#define LANES 16
#include "narrow_rows_body.hpp"

namespace nephron::nn {

const NarrowKernels narrow_kernels_avx512{LANES, &run};

}  // namespace nephron::nn
#endif
