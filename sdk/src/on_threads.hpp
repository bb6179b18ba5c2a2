#pragma once

#include <cstdint>
#include <functional>

namespace nephron {

/// at::parallel_for(), on LibTorch's threads. That is a plain loop wherever it is compiled without OpenMP, so it is
/// compiled once, here, with it.
void on_threads(std::int64_t n, std::int64_t grain, const std::function<void(std::int64_t, std::int64_t)>& body);

}  // namespace nephron
