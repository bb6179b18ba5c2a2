#include <nephron/loss_input.hpp>

#include <ATen/ops/cat.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/zeros_like.h>

struct CeParams {
  double smoothing = 0.0;

  static void describe(nephron::Schema<CeParams>& s) {
    s.field("smoothing", &CeParams::smoothing,
            "share of the target that all classes and the background divide among them")
        .range(0, 1);
  }
};

/// The background's logit is 0 everywhere. A pixel of several classes belongs to each in equal shares.
class CeLoss final : public nephron::InputLoss, public nephron::CouplesClasses {
 public:
  CeLoss(const CeParams& params, nephron::Context&) : params_(params) {}

  at::Tensor value(const nephron::LossInput& input) const override {
    const at::Tensor &logits = input.logits(), &target = input.target();
    const auto classes = static_cast<double>(logits.size(1));
    const at::Tensor all = at::cat({at::zeros_like(logits.narrow(1, 0, 1)), logits}, 1);
    const at::Tensor surprise = -at::log_softmax(all, 1);
    const at::Tensor sum = target.sum(1, /*keepdim=*/true);
    const at::Tensor background = smoothed((1 - sum).clamp_min(0), classes);
    const at::Tensor shares = smoothed(target / sum.clamp_min(1), classes);
    // The mean over the classes is the cross-entropy, of which the background is everybody's part.
    const at::Tensor own = classes * shares * surprise.narrow(1, 1, logits.size(1));
    return nephron::pixel_mean(own + background * surprise.narrow(1, 0, 1), input);
  }

 private:
  at::Tensor smoothed(const at::Tensor& shares, double classes) const {
    const double s = params_.smoothing;
    return s > 0 ? shares * (1 - s) + s / (classes + 1) : shares;
  }
  CeParams params_;
};

NEPHRON_PLUGIN("ce", "1.0.0")
NEPHRON_COMPONENT(nephron::Loss, CeLoss, "ce",
                  "Cross-entropy of classes that exclude each other, with the background as one more")
