#include "on_threads.hpp"

#include <ATen/Parallel.h>

namespace nephron {

void on_threads(std::int64_t n, std::int64_t grain, const std::function<void(std::int64_t, std::int64_t)>& body) {
  at::parallel_for(0, n, grain, body);
}

}  // namespace nephron
