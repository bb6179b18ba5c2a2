#include <nephron/loss_input.hpp>

#include <ATen/ops/abs.h>
#include <ATen/ops/log.h>
#include <ATen/ops/log_sigmoid.h>

struct DiceParams {
  double smooth = 0.0;
  double eps = 1e-7;
  bool log = false;
  bool per_sample = false;

  static void describe(nephron::Schema<DiceParams>& s) {
    s.field("smooth", &DiceParams::smooth, "added to both sides of the fraction").range(0, 1e6);
    s.field("eps", &DiceParams::eps, "least value of the denominator, and of the score under the logarithm")
        .range(1e-12, 1);
    s.field("log", &DiceParams::log, "-log(score) in place of 1 - score");
    s.field("per_sample", &DiceParams::per_sample, "a score a sample in place of one a batch");
  }
};

class DiceLoss final : public nephron::InputLoss {
 public:
  DiceLoss(const DiceParams& params, nephron::Context&) : params_(params) {}

  at::Tensor value(const nephron::LossInput& input) const override {
    const at::Tensor &target = input.target(), &weights = input.pixel_weights();
    const at::Tensor p = at::log_sigmoid(input.logits()).exp();
    const auto sum = [&](const at::Tensor& pixels) {
      const at::Tensor t = weights.defined() ? pixels * weights : pixels;
      return params_.per_sample ? t.sum(at::IntArrayRef{2, 3}) : t.sum(at::IntArrayRef{0, 2, 3}).unsqueeze(0);
    };
    const at::Tensor sum_p = sum(p), sum_t = sum(target);
    // min(p, t) rather than p t: a soft target that is met exactly scores 1.
    const at::Tensor both = (sum_p + sum_t - sum(at::abs(p - target))) / 2;
    const at::Tensor score = (both + params_.smooth) / ((sum_p + sum_t) / 2 + params_.smooth).clamp_min(params_.eps);
    const at::Tensor loss = params_.log ? -score.clamp_min(params_.eps).log() : 1 - score;
    return loss * (sum_t > 0);  // undefined where there is no foreground: says nothing there
  }

 private:
  DiceParams params_;
};

NEPHRON_PLUGIN("dice", "1.0.0")
NEPHRON_COMPONENT(nephron::Loss, DiceLoss, "dice",
                  "Soft Dice loss as Segmentation Models PyTorch computes it (Milletari et al. 2016, arXiv:1606.04797)")
