#include <host/model/exclusive.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/expm1.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros_like.h>

namespace nephron::host {

namespace {

at::Tensor with_background(const at::Tensor& logits) {
  return at::cat({at::zeros_like(logits.narrow(1, 0, 1)), logits}, 1);
}

}  // namespace

at::Tensor probabilities(const at::Tensor& logits, bool exclusive) {
  if (!exclusive) return at::sigmoid(logits);
  return at::softmax(with_background(logits), 1).narrow(1, 1, logits.size(1));
}

at::Tensor predicted_masks(const at::Tensor& logits, bool exclusive) {
  if (!exclusive) return at::sigmoid(logits) > 0.5;
  const at::Tensor best = at::argmax(with_background(logits), 1, /*keepdim=*/true);
  return best == at::arange(1, logits.size(1) + 1, best.options()).view({1, -1, 1, 1});
}

at::Tensor log_odds(const at::Tensor& logits) {
  constexpr double least = 1e-7;  // of what the others have: floats know no less beside 1
  const at::Tensor log_p = logits - at::logsumexp(with_background(logits), {1}, /*keepdim=*/true);
  return log_p - (-at::expm1(log_p)).clamp_min(least).log();
}

}  // namespace nephron::host
