#include <nephron/loss_input.hpp>

#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/full.h>

struct BceParams {
  double pos_weight = 1.0;
  double smoothing = 0.0;

  static void describe(nephron::Schema<BceParams>& s) {
    s.field("pos_weight", &BceParams::pos_weight,
            "weight of the foreground's share; over 1 finds more, under 1 errs less")
        .range(1e-6, 1e6);
    s.field("smoothing", &BceParams::smoothing, "targets 0 and 1 become this and 1 minus this").range(0, 0.5);
  }
};

class BceLoss final : public nephron::InputLoss {
 public:
  BceLoss(const BceParams& params, nephron::Context&) : params_(params) {}

  at::Tensor value(const nephron::LossInput& input) const override {
    const at::Tensor &logits = input.logits(), &target = input.target();
    const double s = params_.smoothing;
    const at::Tensor soft = s > 0 ? target * (1 - 2 * s) + s : target;
    std::optional<at::Tensor> weight;
    if (params_.pos_weight != 1) weight = at::full({}, params_.pos_weight, logits.options().requires_grad(false));
    return nephron::pixel_mean(at::binary_cross_entropy_with_logits(logits, soft, {}, weight, at::Reduction::None),
                               input);
  }

 private:
  BceParams params_;
};

NEPHRON_PLUGIN("bce", "1.0.0")
NEPHRON_COMPONENT(nephron::Loss, BceLoss, "bce",
                  "Binary cross-entropy of logits, with label smoothing and a weight of the foreground")
