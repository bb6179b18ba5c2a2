#include <nephron/loss_input.hpp>

#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/sigmoid.h>

struct FocalParams {
  double gamma = 2.0;
  double alpha = 0.25;

  static void describe(nephron::Schema<FocalParams>& s) {
    s.field("gamma", &FocalParams::gamma, "focusing exponent; 0 is weighted BCE").range(0, 10);
    s.field("alpha", &FocalParams::alpha, "weight of the positive class").range(0, 1);
  }
};

class FocalLoss final : public nephron::InputLoss {
 public:
  FocalLoss(const FocalParams& params, nephron::Context&) : params_(params) {}

  at::Tensor value(const nephron::LossInput& input) const override {
    const at::Tensor &logits = input.logits(), &target = input.target();
    const at::Tensor bce = at::binary_cross_entropy_with_logits(logits, target, {}, {}, at::Reduction::None);
    const at::Tensor p = at::sigmoid(logits);
    // 1 - p where the target is 1, p where it is 0. Never 0: the slope of a power under 1 is infinite there.
    const at::Tensor miss = (p + target - 2 * p * target).clamp_min(1e-12);
    const at::Tensor alpha = params_.alpha * target + (1 - params_.alpha) * (1 - target);
    return nephron::pixel_mean(alpha * at::pow(miss, params_.gamma) * bce, input);
  }

 private:
  FocalParams params_;
};

NEPHRON_PLUGIN("focal", "1.0.0")
NEPHRON_COMPONENT(nephron::Loss, FocalLoss, "focal", "Focal loss (Lin et al. 2017, arXiv:1708.02002)")
