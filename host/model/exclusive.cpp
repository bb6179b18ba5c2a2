#include <host/model/exclusive.hpp>

#include <vector>

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/logaddexp.h>
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
  const std::vector<at::Tensor> of_class = logits.split(1, 1);
  const std::size_t n = of_class.size();
  // Of a class against all others, summed from both ends: where one is nearly sure, one minus its share has no digits.
  std::vector<at::Tensor> before(n), after(n), out(n);
  before[0] = at::zeros_like(of_class[0]);
  for (std::size_t c = 1; c < n; ++c) before[c] = at::logaddexp(before[c - 1], of_class[c - 1]);
  for (std::size_t c = n - 1; c > 0; --c)
    after[c - 1] = after[c].defined() ? at::logaddexp(after[c], of_class[c]) : of_class[c];
  for (std::size_t c = 0; c < n; ++c)
    out[c] = of_class[c] - (after[c].defined() ? at::logaddexp(before[c], after[c]) : before[c]);
  return at::cat(out, 1);
}

}  // namespace nephron::host
