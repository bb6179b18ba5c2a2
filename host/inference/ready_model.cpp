#include <host/inference/ready_model.hpp>

#include <string>

#include <ATen/ops/arange.h>
#include <ATen/ops/sigmoid.h>
#include <c10/core/InferenceMode.h>

#include <nephron/nn/fold.hpp>

#include <host/device/autocast.hpp>
#include <host/util/log.hpp>

namespace nephron::host {

namespace {

/// The small picture: waves of all lengths, so that every channel sees something.
at::Tensor probe_picture(std::int64_t multiple, c10::Device device) {
  const std::int64_t side = 2 * multiple;
  const auto floats = at::TensorOptions().dtype(c10::kFloat).device(device);
  return at::arange(3 * side * side, floats).mul_(0.7).sin_().view({1, 3, side, side});
}

class Maker {
 public:
  Maker(const std::function<std::shared_ptr<SegmentationModel>()>& load, c10::Device device,
        std::optional<c10::ScalarType> lower)
      : load_(load), device_(device), lower_(lower) {
    ready_.model = load_();
    picture_ = probe_picture(ready_.model->multiple(), device);
    exact_ = answer({});
    if (lower_) usual_ = (answer(lower_) - exact_).abs().mean().item().toDouble();
  }

  ReadyModel make() {
    fold();
    if (device_.is_cpu() && (!lower_ || *lower_ == c10::ScalarType::BFloat16)) pack();
    return ready_;
  }

 private:
  at::Tensor answer(std::optional<c10::ScalarType> lower) const {
    const Autocast as(device_, lower);
    return at::sigmoid(ready_.model->forward(picture_).to(c10::kFloat));
  }

  void fold() {
    ready_.folded = nn::fold_batch_norms(*ready_.model) > 0;
    if (!ready_.folded) return;
    const double change = (answer({}) - exact_).abs().max().item().toDouble();
    if (change <= most_change) return;
    left_out("batch normalisation is not folded", change);
    ready_.model = load_();
    ready_.folded = false;
  }

  void pack() {
    for (const bool filtering : {true, false}) {
      nn::Freezing how{.type = lower_.value_or(c10::ScalarType::Float), .minimal_filtering = filtering};
      if (nn::freeze_for_inference(*ready_.model, how) == 0) return;
      const at::Tensor change = (answer(lower_) - exact_).abs();
      const double worst = change.max().item().toDouble(), mean = change.mean().item().toDouble();
      ready_.packed = lower_ ? mean <= 2 * usual_ + most_change : worst <= most_change;
      ready_.filtered = ready_.packed && filtering;
      if (ready_.packed) return;
      left_out(filtering ? "3x3 convolutions are not computed by minimal filtering" : "weights are not packed",
               lower_ ? mean : worst);
    }
    ready_.model = load_();
    if (ready_.folded) nn::fold_batch_norms(*ready_.model);
  }

  static void left_out(const std::string& what, double change) {
    log().debug(what + ": the model's answer would change by " + std::to_string(change));
  }

  const std::function<std::shared_ptr<SegmentationModel>()>& load_;
  c10::Device device_;
  std::optional<c10::ScalarType> lower_;
  ReadyModel ready_;
  at::Tensor picture_, exact_;
  double usual_ = 0;  ///< mean distance of the unpacked model in `lower_` from fp32
};

}  // namespace

ReadyModel made_ready(const std::function<std::shared_ptr<SegmentationModel>()>& load, c10::Device device,
                      std::optional<c10::ScalarType> lower) {
  const c10::InferenceMode inference;
  return Maker(load, device, lower).make();
}

}  // namespace nephron::host
