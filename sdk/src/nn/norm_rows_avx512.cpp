// Compiled for processors with these instructions: sdk/CMakeLists.txt.
#ifdef __x86_64__
#define LANES 16
#include "norm_rows_body.hpp"

namespace nephron::nn {

const NormRows norm_rows_avx512{&statistics, &forward, &reduce, &backward};

}  // namespace nephron::nn
#endif
