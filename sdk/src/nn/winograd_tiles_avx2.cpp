// Compiled for processors with these instructions: sdk/CMakeLists.txt.
#ifdef __x86_64__
#define LANES 8
#define ROWS 6
#include "winograd_training_body.hpp"

namespace nephron::nn {

const TileKernels tile_kernels_avx2{LANES, ROWS, &run, &pack, &unpack, &at_points, &add_products};

}  // namespace nephron::nn
#endif
