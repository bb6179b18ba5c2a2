#include <nephron/partners.hpp>

#include <utility>

#include <ATen/ops/arange.h>
#include <ATen/ops/ones_like.h>

namespace nephron {

struct Batch::Data {
  at::Tensor images, targets, weights, pixel_weights;
};

Batch::Batch(at::Tensor images, at::Tensor targets, at::Tensor weights)
    : data_(std::make_shared<Data>(Data{std::move(images), std::move(targets), std::move(weights), {}})) {}

std::int64_t Batch::size() const { return data_->images.size(0); }
const at::Tensor& Batch::images() const noexcept { return data_->images; }
const at::Tensor& Batch::targets() const noexcept { return data_->targets; }
const at::Tensor& Batch::weights() const noexcept { return data_->weights; }
const at::Tensor& Batch::pixel_weights() const noexcept { return data_->pixel_weights; }

at::Tensor Batch::spread_weights() const {
  const at::Tensor samples = data_->weights.unsqueeze(2).unsqueeze(3);
  if (data_->pixel_weights.defined()) return samples * data_->pixel_weights;
  return samples.expand_as(data_->targets).contiguous();
}

void Batch::set_images(at::Tensor images) { data_->images = std::move(images); }
void Batch::set_targets(at::Tensor targets) { data_->targets = std::move(targets); }
void Batch::set_weights(at::Tensor weights) { data_->weights = std::move(weights); }
void Batch::set_pixel_weights(at::Tensor weights) { data_->pixel_weights = std::move(weights); }
void Batch::set_spread_weights(at::Tensor weights) {
  data_->weights = at::ones_like(data_->weights);
  data_->pixel_weights = std::move(weights);
}

BatchAugmentation::~BatchAugmentation() = default;

at::Tensor draw_partners(const Batch& batch, Rng& rng) {
  const at::Tensor order = at::arange(batch.size(), at::TensorOptions().dtype(c10::kLong));
  std::int64_t* const places = order.mutable_data_ptr<std::int64_t>();
  for (std::int64_t i = batch.size() - 1; i > 0; --i) std::swap(places[i], places[rng.integer(0, i)]);
  // Not waited for: a step waits for nothing, and so few bytes are staged before the call returns.
  return order.to(batch.images().device(), c10::kLong, /*non_blocking=*/true);
}

}  // namespace nephron
