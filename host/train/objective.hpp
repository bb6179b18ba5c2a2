#pragma once

#include <memory>
#include <string>
#include <vector>

#include <nephron/loss.hpp>

#include <host/config/experiment.hpp>
#include <host/plugins/host_context.hpp>
#include <host/plugins/registry.hpp>

namespace nephron::host {

/// One value a class out of a loss's values and the sample weights: sum(w v) / (sum(w) + 1e-6) over the samples, and
/// the plain mean where every weight is 1. `values`, `weights`: [N, C]; returns [C].
at::Tensor weighted_mean(const at::Tensor& values, const at::Tensor& weights);

/// The experiment's loss: terms from plugins; classes and samples are weighed here, so that every loss works with every
/// weighting: sum over terms of weight * sum_c(class_weight_c * value_c) / sum_c(class_weight_c).
class Objective {
 public:
  Objective(const LossConfig& config, std::size_t classes, const Registry& registry, std::uint64_t seed,
            const Lent& lent = {});
  ~Objective();

  /// logits, target [N, C, H, W] float; weights [N, C]. A scalar, differentiable in logits. Errors of a plugin name it.
  at::Tensor operator()(const at::Tensor& logits, const at::Tensor& target, const at::Tensor& weights) const;

 private:
  struct Term {
    std::unique_ptr<HostContext> context;
    std::shared_ptr<Loss> loss;
    std::string type, plugin, place;
    double weight = 1;
  };
  at::Tensor value(const Term& term, const at::Tensor& logits, const at::Tensor& target,
                   const at::Tensor& weights) const;
  at::Tensor call(const Term& term, const at::Tensor& logits, const at::Tensor& target) const;

  std::vector<double> class_weights_;
  std::vector<Term> terms_;
};

}  // namespace nephron::host
