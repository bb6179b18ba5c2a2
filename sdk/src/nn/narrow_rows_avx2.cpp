// Compiled for processors with these instructions: sdk/CMakeLists.txt.
#ifdef __x86_64__
#define LANES 8
#include "narrow_rows_body.hpp"

namespace nephron::nn {

const NarrowKernels narrow_kernels_avx2{LANES, &run};

}  // namespace nephron::nn
#endif
