#include <ATen/ops/sigmoid.h>
#include <nephron/loss_input.hpp>

// The mean of the foreground's probability, weighed by how far a pixel is from the boundary; inside it counts below 0.
class Boundary final : public nephron::InputLoss {
 public:
  std::uint32_t needs() const override { return nephron::LossNeeds::distance; }
  at::Tensor value(const nephron::LossInput& input) const override {
    return nephron::pixel_mean(at::sigmoid(input.logits()) * input.distance(), input);
  }
};

NEPHRON_PLUGIN("outside_boundary", "1.0.0")
NEPHRON_COMPONENT(nephron::Loss, Boundary, "outside_boundary", "distance to the boundary (Kervadec et al. 2019)")
