#include <nephron/loss_input.hpp>

#include <array>
#include <atomic>
#include <utility>

namespace nephron {

struct LossInput::Data {
  at::Tensor logits, target, pixel_weights, distance, predicted_distance;
  double progress = 0;
  std::int64_t epoch = 0;
  /// Of all that were made of one.
  std::shared_ptr<std::atomic<std::uint32_t>> asked = std::make_shared<std::atomic<std::uint32_t>>(0);

  /// Everything that has a value a pixel.
  std::array<at::Tensor*, 5> of_pixels() { return {&logits, &target, &pixel_weights, &distance, &predicted_distance}; }
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
const at::Tensor& LossInput::predicted_distance() const {
  if (!data_->predicted_distance.defined())
    throw Error("predicted_distance() was not asked for", "return nephron::LossNeeds::predicted_distance from needs()");
  return data_->predicted_distance;
}
double LossInput::progress() const noexcept {
  *data_->asked |= LossAsked::progress;
  return data_->progress;
}
std::int64_t LossInput::epoch() const noexcept {
  *data_->asked |= LossAsked::epoch;
  return data_->epoch;
}
std::uint32_t LossInput::take_asked() const noexcept { return data_->asked->exchange(0); }
void LossInput::set_pixel_weights(at::Tensor weights) { data_->pixel_weights = std::move(weights); }
void LossInput::set_distance(at::Tensor distance) { data_->distance = std::move(distance); }
void LossInput::set_progress(double progress, std::int64_t epoch) {
  data_->progress = progress;
  data_->epoch = epoch;
}

void LossInput::provide(std::uint32_t needs, at::Tensor (*distance_of)(const at::Tensor&)) {
  const auto distance = [&](const at::Tensor& masks) {
    const at::Tensor known = data_->pixel_weights.defined() ? masks * (data_->pixel_weights > 0) : masks;
    return (distance_of != nullptr ? distance_of : &signed_distance)(known).to(data_->logits.scalar_type());
  };
  if ((needs & LossNeeds::distance) != 0 && !data_->distance.defined()) data_->distance = distance(data_->target);
  if ((needs & LossNeeds::predicted_distance) != 0 && !data_->predicted_distance.defined())
    data_->predicted_distance = distance((data_->logits.detach() > 0).to(c10::kFloat));
}

LossInput LossInput::with_logits(at::Tensor logits) const {
  LossInput out(*this);
  out.data_ = std::make_shared<Data>(*data_);
  out.data_->logits = std::move(logits);
  out.data_->predicted_distance.reset();
  return out;
}

LossInput LossInput::part(std::int64_t class_index, const at::Tensor& samples) const {
  LossInput out(*this);
  out.data_ = std::make_shared<Data>(*data_);
  for (at::Tensor* const t : out.data_->of_pixels())
    if (t->defined()) *t = t->narrow(1, class_index, 1).index_select(0, samples);
  return out;
}

InputLoss::~InputLoss() = default;

at::Tensor InputLoss::forward(const at::Tensor& logits, const at::Tensor& target) const {
  LossInput input(logits, target);
  input.provide(needs());
  return value(input);
}

at::Tensor pixel_mean(const at::Tensor& values, const LossInput& input) {
  const at::Tensor& weights = input.pixel_weights();
  if (!weights.defined()) return values.mean({2, 3});
  const at::Tensor sum = weights.sum({2, 3});
  return (values * weights).sum({2, 3}) / sum.clamp_min(1e-12);
}

}  // namespace nephron
