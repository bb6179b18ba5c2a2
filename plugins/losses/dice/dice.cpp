#include <ATen/ops/pow.h>

#include "overlap.hpp"

struct DiceParams : OverlapParams {
  static constexpr double alpha = 0.5, beta = 0.5, gamma = 1;
  static void describe(nephron::Schema<DiceParams>& s) { describe_overlap(s); }
};

struct JaccardParams : OverlapParams {
  static constexpr double alpha = 1, beta = 1, gamma = 1;
  static void describe(nephron::Schema<JaccardParams>& s) { describe_overlap(s); }
};

template <class T>
void describe_errors(nephron::Schema<T>& s) {
  s.field("alpha", &T::alpha, "weight of false positives").range(0, 100);
  s.field("beta", &T::beta, "weight of false negatives").range(0, 100);
}

struct TverskyParams : OverlapParams {
  double alpha = 0.3, beta = 0.7;
  static constexpr double gamma = 1;
  static void describe(nephron::Schema<TverskyParams>& s) {
    describe_errors(s);
    describe_overlap(s);
  }
};

struct FocalTverskyParams : OverlapParams {
  double alpha = 0.3, beta = 0.7, gamma = 0.75;
  static void describe(nephron::Schema<FocalTverskyParams>& s) {
    describe_errors(s);
    s.field("gamma", &FocalTverskyParams::gamma,
            "exponent of the Tversky loss: under 1 what is nearly right counts more")
        .range(0.05, 10);
    describe_overlap(s);
  }
};

template <class Params>
class OverlapLoss final : public nephron::InputLoss {
 public:
  OverlapLoss(const Params& params, nephron::Context&) : params_(params) {}

  at::Tensor value(const nephron::LossInput& input) const override {
    const at::Tensor loss = overlap_loss(params_, params_.alpha, params_.beta, input);
    // Never 0: the slope of a power under 1 is infinite there.
    return params_.gamma == 1 ? loss : at::pow(loss.clamp_min(1e-12), params_.gamma) * (loss > 0);
  }

 private:
  Params params_;
};

NEPHRON_PLUGIN("dice", "1.1.0")
NEPHRON_COMPONENT(nephron::Loss, OverlapLoss<DiceParams>, "dice",
                  "Soft Dice loss as Segmentation Models PyTorch computes it (Milletari et al. 2016, arXiv:1606.04797)")
NEPHRON_COMPONENT(nephron::Loss, OverlapLoss<JaccardParams>, "jaccard",
                  "Soft Jaccard loss: one minus intersection over union (Rahman and Wang 2016)")
NEPHRON_COMPONENT(nephron::Loss, OverlapLoss<TverskyParams>, "tversky",
                  "Tversky loss: Dice that weighs false positives and negatives (Salehi et al. 2017, arXiv:1706.05721)")
NEPHRON_COMPONENT(nephron::Loss, OverlapLoss<FocalTverskyParams>, "focal_tversky",
                  "A power of the Tversky loss (Abraham and Khan 2018, arXiv:1810.07842)")
