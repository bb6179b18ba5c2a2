#include <nephron/loss.hpp>

#include <ATen/ops/abs.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/sigmoid.h>

class Absolute final : public nephron::Loss {
 public:
  at::Tensor forward(const at::Tensor& logits, const at::Tensor& target) const override {
    return (at::sigmoid(logits) - target).abs().mean({2, 3});
  }
};

NEPHRON_PLUGIN("outside_loss", "1.0.0")
NEPHRON_COMPONENT(nephron::Loss, Absolute, "outside_absolute", "mean absolute error")
