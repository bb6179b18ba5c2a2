#include "jaccard_steps.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include <ATen/ops/cumsum.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/sort.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

#include "sort_by_error.hpp"

namespace {

/// The two sets as pixels become wrong.
struct Sets {
  double intersection, all;  ///< of prediction and target

  /// What the loss grows by.
  double add(double w, double t) noexcept {
    if (!(all > 0)) {  // no foreground: the first pixel that is wrong is all there is of the union
      all = w;
      return 1;
    }
    const double background = w * (1 - t), grown = all + background;
    const double step = (background * std::max(intersection, 0.0) + w * t * all) / (all * grown);
    all = grown;
    intersection -= w * t;
    return step;
  }
};

void plane_steps(const float* errors, const float* target, const float* weights, std::int64_t n, const Planes& how,
                 float* steps) {
  std::vector<ErrorAt> order, room;
  order.reserve(static_cast<std::size_t>(n));
  double foreground = 0, counted = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const double w = weights != nullptr ? weights[i] : 1;
    if (!(w > 0)) continue;
    foreground += w * target[i];
    counted += w;
    if (how.positive_only && !(errors[i] > 0)) continue;
    order.push_back(ErrorAt::of(errors[i], static_cast<std::uint32_t>(i)));
  }
  sort_by_error(order, room);
  Sets sets{foreground, foreground};
  Sets swapped{counted - foreground, counted - foreground};
  for (const ErrorAt& at : order) {
    const double w = weights != nullptr ? weights[at.pixel] : 1, t = target[at.pixel];
    double step = sets.add(w, t);
    if (how.symmetric) step = (step + swapped.add(w, 1 - t)) / 2;
    steps[at.pixel] = static_cast<float>(step);
  }
}

at::Tensor steps_in_order(const at::Tensor& target, const at::Tensor& weights) {
  const at::Tensor foreground = weights * target, background = weights - foreground;
  const at::Tensor wrong_foreground = foreground.cumsum(1), wrong_background = background.cumsum(1);
  const at::Tensor all_foreground = foreground.sum(1, /*keepdim=*/true);
  const at::Tensor before = all_foreground + (wrong_background - background);
  const at::Tensor intersection = (all_foreground - (wrong_foreground - foreground)).clamp_min(0);
  const at::Tensor step = (background * intersection + foreground * before) /
                          (before * (all_foreground + wrong_background)).clamp_min(std::numeric_limits<double>::min());
  return at::where(before > 0, step, (weights > 0).to(step.scalar_type()));
}

/// The same by LibTorch's operators: any device and type.
at::Tensor steps_anywhere(const Planes& p) {
  const auto [sorted, order] = p.errors.sort(/*dim=*/1, /*descending=*/true);
  const auto of = [&, &order = order](const at::Tensor& t) { return t.gather(1, order).to(c10::kDouble); };
  const at::Tensor target = of(p.target), weights = p.weights.defined() ? of(p.weights) : at::ones_like(target);
  at::Tensor steps = steps_in_order(target, weights);
  if (p.symmetric) steps = (steps + steps_in_order(1 - target, weights)) / 2;
  return at::zeros_like(p.errors).scatter(1, order, steps.to(p.errors.scalar_type()));
}

}  // namespace

at::Tensor jaccard_steps(const Planes& planes, nephron::ThreadPool& threads) {
  const std::int64_t n = planes.errors.size(1);
  const bool here = planes.errors.is_cpu() && planes.errors.scalar_type() == c10::kFloat &&
                    n <= std::numeric_limits<std::uint32_t>::max();
  if (!here) return steps_anywhere(planes);
  const at::Tensor steps = at::zeros_like(planes.errors);
  const float* const errors = planes.errors.const_data_ptr<float>();
  const float* const target = planes.target.const_data_ptr<float>();
  const float* const weights = planes.weights.defined() ? planes.weights.const_data_ptr<float>() : nullptr;
  float* const out = steps.mutable_data_ptr<float>();
  threads.parallel_for(static_cast<std::size_t>(planes.errors.size(0)), [&](std::size_t plane) {
    const std::int64_t at = static_cast<std::int64_t>(plane) * n;
    plane_steps(errors + at, target + at, weights != nullptr ? weights + at : nullptr, n, planes, out + at);
  });
  return steps;
}
