#include "overlap.hpp"

#include <ATen/ops/abs.h>
#include <ATen/ops/log.h>
#include <ATen/ops/log_sigmoid.h>

namespace {

struct Sums {
  at::Tensor predicted, target, both;
};

Sums sums_of(const OverlapParams& params, const nephron::LossInput& input) {
  const at::Tensor &target = input.target(), &weights = input.pixel_weights();
  const at::Tensor p = at::log_sigmoid(input.logits()).exp();
  const auto sum = [&](const at::Tensor& pixels) {
    const at::Tensor t = weights.defined() ? pixels * weights : pixels;
    return params.per_sample ? t.sum(at::IntArrayRef{2, 3}) : t.sum(at::IntArrayRef{0, 2, 3}).unsqueeze(0);
  };
  if (params.overlap == "squares") return {sum(p * p), sum(target * target), sum(p * target)};
  const at::Tensor predicted = sum(p), truth = sum(target);
  if (params.overlap == "product") return {predicted, truth, sum(p * target)};
  // min(p, t) rather than p t: a soft target that is met exactly scores 1.
  return {predicted, truth, (predicted + truth - sum(at::abs(p - target))) / 2};
}

}  // namespace

at::Tensor overlap_loss(const OverlapParams& params, double false_positives, double false_negatives,
                        const nephron::LossInput& input) {
  const Sums s = sums_of(params, input);
  const at::Tensor all =
      s.both + false_positives * (s.predicted - s.both) + false_negatives * (s.target - s.both) + params.smooth;
  const at::Tensor score = (s.both + params.smooth) / all.clamp_min(params.eps);
  const at::Tensor loss = params.log ? -score.clamp_min(params.eps).log() : 1 - score;
  return params.empty == "skip" ? loss * (s.target > 0) : loss;
}
