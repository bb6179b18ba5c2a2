// A loss with a constant that the build chooses.
#include <ATen/ops/binary_cross_entropy_with_logits.h>

#include <nephron/loss.hpp>

namespace {

class ScaledLoss final : public nephron::Loss {
 public:
  at::Tensor forward(const at::Tensor& logits, const at::Tensor& target) const override {
    return at::binary_cross_entropy_with_logits(logits, target, {}, {}, at::Reduction::None).mean({2, 3}) * TEST_FACTOR;
  }
};

}  // namespace

NEPHRON_COMPONENT(nephron::Loss, ScaledLoss, "test-scaled", "cross-entropy times a constant")
NEPHRON_PLUGIN("test_scaled", "1.0.0")
