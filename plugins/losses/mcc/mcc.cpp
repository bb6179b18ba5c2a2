#include <nephron/loss_input.hpp>

#include <ATen/ops/sigmoid.h>
#include <ATen/ops/sqrt.h>

struct MccParams {
  double eps = 1e-5;
  bool per_sample = false;

  static void describe(nephron::Schema<MccParams>& s) {
    s.field("eps", &MccParams::eps, "pixels added to each of the four counts").range(1e-8, 1e6);
    s.field("per_sample", &MccParams::per_sample, "a value a sample in place of one a batch");
  }
};

class MccLoss final : public nephron::InputLoss {
 public:
  MccLoss(const MccParams& params, nephron::Context&) : params_(params) {}

  at::Tensor value(const nephron::LossInput& input) const override {
    const at::Tensor p = at::sigmoid(input.logits()), not_p = 1 - p;
    const at::Tensor& weights = input.pixel_weights();
    const at::Tensor t = weights.defined() ? input.target() * weights : input.target();
    const at::Tensor not_t = weights.defined() ? weights - t : 1 - t;
    // Each count is summed by itself: a difference of large sums would not see how small the smallest is.
    const auto count = [&](const at::Tensor& a, const at::Tensor& b) {
      const at::Tensor both = a * b;
      return (params_.per_sample ? both.sum(at::IntArrayRef{2, 3}) : both.sum(at::IntArrayRef{0, 2, 3}).unsqueeze(0)) +
             params_.eps;
    };
    const at::Tensor tp = count(p, t), fp = count(p, not_t), fn = count(not_p, t), tn = count(not_p, not_t);
    // Roots of pairs: the product of all four leaves float32 at some hundred large tiles.
    return 1 - (tp * tn - fp * fn) / (at::sqrt((tp + fp) * (tp + fn)) * at::sqrt((tn + fp) * (tn + fn)));
  }

 private:
  MccParams params_;
};

NEPHRON_PLUGIN("mcc", "1.0.0")
NEPHRON_COMPONENT(nephron::Loss, MccLoss, "mcc",
                  "One minus Matthews' correlation coefficient (Abhishek and Hamarneh 2021, arXiv:2010.13454)")
