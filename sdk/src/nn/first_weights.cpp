#include <nephron/nn/first_weights.hpp>

namespace nephron::nn {

namespace {
thread_local bool without = false;
}

WithoutFirstWeights::WithoutFirstWeights() noexcept : before_(without) { without = true; }

WithoutFirstWeights::~WithoutFirstWeights() { without = before_; }

bool WithoutFirstWeights::here() noexcept { return without; }

}  // namespace nephron::nn
