#include <nephron/loss_input.hpp>

#include <utility>

namespace nephron {

struct LossInput::Data {
  at::Tensor logits, target, pixel_weights, distance;
  double progress = 0;
  std::int64_t epoch = 0;
};

LossInput::LossInput(at::Tensor logits, at::Tensor target) : data_(std::make_shared<Data>()) {
  data_->logits = std::move(logits);
  data_->target = std::move(target);
}

const at::Tensor& LossInput::logits() const noexcept { return data_->logits; }
const at::Tensor& LossInput::target() const noexcept { return data_->target; }
const at::Tensor& LossInput::pixel_weights() const noexcept { return data_->pixel_weights; }
const at::Tensor& LossInput::distance() const {
  if (!data_->distance.defined())
    throw Error("distance() was not asked for", "return nephron::LossNeeds::distance from needs()");
  return data_->distance;
}
double LossInput::progress() const noexcept { return data_->progress; }
std::int64_t LossInput::epoch() const noexcept { return data_->epoch; }
void LossInput::set_pixel_weights(at::Tensor weights) { data_->pixel_weights = std::move(weights); }
void LossInput::set_distance(at::Tensor distance) { data_->distance = std::move(distance); }
void LossInput::set_progress(double progress, std::int64_t epoch) {
  data_->progress = progress;
  data_->epoch = epoch;
}

InputLoss::~InputLoss() = default;

at::Tensor InputLoss::forward(const at::Tensor& logits, const at::Tensor& target) const {
  LossInput input(logits, target);
  if ((needs() & LossNeeds::distance) != 0) input.set_distance(signed_distance(target).to(logits.scalar_type()));
  return value(input);
}

at::Tensor pixel_mean(const at::Tensor& values, const LossInput& input) {
  const at::Tensor& weights = input.pixel_weights();
  if (!weights.defined()) return values.mean({2, 3});
  const at::Tensor sum = weights.sum({2, 3});
  return (values * weights).sum({2, 3}) / sum.clamp_min(1e-12);
}

}  // namespace nephron
