#include <nephron/loss.hpp>

#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/sigmoid.h>

struct @CLASS@Params {
  double gamma = 2.0;
  double alpha = 0.25;

  static void describe(nephron::Schema<@CLASS@Params>& s) {
    s.field("gamma", &@CLASS@Params::gamma, "focusing exponent; 0 is weighted BCE").range(0, 10);
    s.field("alpha", &@CLASS@Params::alpha, "weight of the positive class").range(0, 1);
  }
};

// Focal loss (Lin et al. 2017, arXiv:1708.02002), to begin with something that trains.
class @CLASS@Loss final : public nephron::Loss {
 public:
  @CLASS@Loss(const @CLASS@Params& params, nephron::Context&) : params_(params) {}

  // logits, target: [N, C, H, W]; returns [N, C], the mean over pixels.
  at::Tensor forward(const at::Tensor& logits, const at::Tensor& target) const override {
    const at::Tensor bce = at::binary_cross_entropy_with_logits(logits, target, {}, {}, at::Reduction::None);
    const at::Tensor p = at::sigmoid(logits);
    // 1 - p where the target is 1, p where it is 0; never 0, where a power under 1 has no slope.
    const at::Tensor miss = (p + target - 2 * p * target).clamp_min(1e-12);
    const at::Tensor alpha = params_.alpha * target + (1 - params_.alpha) * (1 - target);
    return (alpha * at::pow(miss, params_.gamma) * bce).mean({2, 3});
  }

 private:
  @CLASS@Params params_;
};

NEPHRON_PLUGIN("@NAME@", "1.0.0")
NEPHRON_COMPONENT(nephron::Loss, @CLASS@Loss, "@NAME@", "What it does, in one line: replace this one")
