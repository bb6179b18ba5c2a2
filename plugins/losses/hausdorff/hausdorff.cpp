#include <nephron/loss_input.hpp>

#include <algorithm>

#include <ATen/ops/abs.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/sigmoid.h>

struct HausdorffParams {
  double alpha = 2.0;
  bool one_sided = false;
  bool normalised = false;

  static void describe(nephron::Schema<HausdorffParams>& s) {
    s.field("alpha", &HausdorffParams::alpha, "exponent of distances").range(0.1, 4);
    s.field("one_sided", &HausdorffParams::one_sided,
            "distances from the true boundary alone, not from the predicted one too: cheaper");
    s.field("normalised", &HausdorffParams::normalised,
            "divide distances by the longest side of the tile, so that the value does not grow with it");
  }
};

class HausdorffLoss final : public nephron::InputLoss {
 public:
  HausdorffLoss(const HausdorffParams& params, nephron::Context&) : params_(params) {}

  std::uint32_t needs() const override {
    return nephron::LossNeeds::distance | (params_.one_sided ? 0 : nephron::LossNeeds::predicted_distance);
  }

  at::Tensor value(const nephron::LossInput& input) const override {
    const at::Tensor miss = at::sigmoid(input.logits()) - input.target();
    at::Tensor far = power(input.distance());
    if (!params_.one_sided) far = far + power(input.predicted_distance());
    return nephron::pixel_mean(miss * miss * far, input);
  }

 private:
  /// Of the distance to the nearest pixel beyond the boundary, on both sides of it; 0 in planes without one.
  at::Tensor power(const at::Tensor& signed_distance) const {
    // Outside it is 1 at least, inside 0 at most.
    at::Tensor d = (signed_distance - 0.5).abs() + 0.5;
    if (params_.normalised) d = d / static_cast<double>(std::max(d.size(2), d.size(3)));
    return at::pow(d, params_.alpha) * (signed_distance.amax({2, 3}, /*keepdim=*/true) > 0);
  }
  HausdorffParams params_;
};

NEPHRON_PLUGIN("hausdorff", "1.0.0")
NEPHRON_COMPONENT(nephron::Loss, HausdorffLoss, "hausdorff",
                  "Errors weighed by powers of distances from the boundaries (Karimi and Salcudean 2019, "
                  "arXiv:1904.10030)")
