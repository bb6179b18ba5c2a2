#include <nephron/loss_input.hpp>

#include <algorithm>

#include <ATen/ops/sigmoid.h>

struct BoundaryParams {
  double start = 0.01;
  double end = 1.0;
  double over = 1.0;
  bool normalised = false;

  static void describe(nephron::Schema<BoundaryParams>& s) {
    s.field("start", &BoundaryParams::start, "factor at the first step").at_least(0);
    s.field("end", &BoundaryParams::end, "factor when it has risen").at_least(0);
    s.field("over", &BoundaryParams::over, "share of the training in which the factor goes from start to end")
        .range(0, 1);
    s.field("normalised", &BoundaryParams::normalised,
            "divide distances by the longest side of the tile, so that the value does not grow with it");
  }
};

class BoundaryLoss final : public nephron::InputLoss {
 public:
  BoundaryLoss(const BoundaryParams& params, nephron::Context&) : params_(params) {}

  std::uint32_t needs() const override { return nephron::LossNeeds::distance; }

  at::Tensor value(const nephron::LossInput& input) const override {
    at::Tensor distance = input.distance();
    if (params_.normalised) distance = distance / static_cast<double>(std::max(distance.size(2), distance.size(3)));
    return nephron::pixel_mean(at::sigmoid(input.logits()) * distance, input) * factor(input);
  }

 private:
  double factor(const nephron::LossInput& input) const {
    // What stays is found without a look at the progress: such a loss may be recorded (train.cuda_graph).
    const bool rises = params_.over > 0 && params_.start != params_.end;
    const double risen = rises ? std::min(1.0, input.progress() / params_.over) : 1.0;
    return params_.start + (params_.end - params_.start) * risen;
  }
  BoundaryParams params_;
};

NEPHRON_PLUGIN("boundary", "1.0.0")
NEPHRON_COMPONENT(nephron::Loss, BoundaryLoss, "boundary",
                  "Boundary loss: foreground weighed by its distance from the true boundary (Kervadec et al. 2019, "
                  "arXiv:1812.07032)")
