#pragma once

#include <cstdint>
#include <functional>

namespace nephron::host {

/// What a piece of LibTorch code did on this thread, on the CPU.
struct Measured {
  std::int64_t multiply_adds = 0;  ///< of convolutions and matrix products
  std::int64_t held = 0;           ///< bytes allocated and not freed when it ended
  std::int64_t peak = 0;           ///< the most bytes at a time
};

/// Runs `work`. Operations are seen at LibTorch's dispatcher, so plugins of any kind are counted.
Measured measure(const std::function<void()>& work);

}  // namespace nephron::host
