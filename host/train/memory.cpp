#include <host/train/memory.hpp>

#include <limits>

#include <malloc.h>

namespace nephron::host {

void keep_freed_memory() {
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
  mallopt(M_TOP_PAD, 64 << 20);
}

}  // namespace nephron::host
