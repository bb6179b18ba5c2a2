// Compiled for processors with these instructions: sdk/CMakeLists.txt.
#ifdef __x86_64__
#define LANES 16
#define ROWS 14
#include "winograd_training_body.hpp"

namespace nephron::nn {

const TileKernels tile_kernels_avx512{LANES, ROWS, &run, &pack, &unpack, &at_points, &add_products};

}  // namespace nephron::nn
#endif
