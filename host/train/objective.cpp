#include <host/train/objective.hpp>

#include <numeric>
#include <sstream>

#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <host/plugins/guard.hpp>

namespace nephron::host {

at::Tensor weighted_mean(const at::Tensor& values, const at::Tensor& weights) {
  const at::Tensor sum = weights.sum(0);
  // The reference means one class plainly and divides the other by sum(w) + 1e-6; in float32 the two differ where all
  // weights are 1. Decided on the device: no read-back.
  const at::Tensor all_ones = (weights == 1).all(0);
  return (values * weights).sum(0) / at::where(all_ones, sum, sum + 1e-6);
}

Objective::Objective(const LossConfig& config, std::size_t classes, const Registry& registry, std::uint64_t seed,
                     const Lent& lent)
    : class_weights_(config.class_weights) {
  if (class_weights_.empty()) class_weights_.assign(classes, 1.0);
  if (class_weights_.size() != classes)
    throw Error("loss.class_weights has " + std::to_string(class_weights_.size()) + " values for " +
                std::to_string(classes) + " classes");
  const double sum = std::accumulate(class_weights_.begin(), class_weights_.end(), 0.0);
  if (!(sum > 0)) throw Error("loss.class_weights must have a positive sum");
  for (double& w : class_weights_) w /= sum;
  if (config.terms.empty())
    throw Error("the experiment names no loss", "Add for example: [loss] terms = [ { type = \"bce\" } ]");
  for (std::size_t i = 0; i < config.terms.size(); ++i) {
    const LossTerm& from = config.terms[i];
    Term term;
    term.context = std::make_unique<HostContext>(from.component.type, "loss.terms[" + std::to_string(i) + "]");
    term.context->seed = seed;
    term.context->lent = lent;
    term.loss = registry.create<Loss>(from.component, *term.context);
    term.type = from.component.type;
    const ComponentInfo& info = registry.find(Loss::kind, term.type);
    term.plugin = info.plugin + " (" + info.file.string() + ")";
    term.place = from.component.source.str();
    term.weight = from.weight;
    terms_.push_back(std::move(term));
  }
}

Objective::~Objective() = default;

at::Tensor Objective::operator()(const at::Tensor& logits, const at::Tensor& target, const at::Tensor& weights) const {
  at::Tensor total;
  for (const Term& term : terms_) {
    const at::Tensor part = value(term, logits, target, weights) * term.weight;
    total = total.defined() ? total + part : part;
  }
  return total;
}

at::Tensor Objective::value(const Term& term, const at::Tensor& logits, const at::Tensor& target,
                            const at::Tensor& weights) const {
  const std::int64_t n = logits.size(0), classes = logits.size(1);
  at::Tensor per_class;
  at::Tensor values = call(term, logits, target);
  if (values.size(0) == n) {
    per_class = weighted_mean(values, weights);
  } else if ((weights == 1).all().item<bool>()) {
    per_class = values[0];
  } else {
    // A loss over the whole batch cannot be weighed sample by sample: each class sees the samples that count for it.
    std::vector<at::Tensor> parts;
    for (std::int64_t c = 0; c < classes; ++c) {
      const at::Tensor rows = weights.select(1, c).nonzero().squeeze(1);
      const auto pick = [&](const at::Tensor& t) { return t.narrow(1, c, 1).index_select(0, rows); };
      parts.push_back(rows.numel() == 0 ? at::zeros({1}, logits.options())
                                        : call(term, pick(logits), pick(target)).mean(0));
    }
    per_class = at::cat(parts);
  }
  at::Tensor total;
  for (std::int64_t c = 0; c < classes; ++c) {
    const at::Tensor part = per_class[c] * class_weights_[static_cast<std::size_t>(c)];
    total = total.defined() ? total + part : part;
  }
  return total;
}

at::Tensor Objective::call(const Term& term, const at::Tensor& logits, const at::Tensor& target) const {
  const Blame blame{term.plugin, "loss \"" + term.type + "\"", term.place, "in forward"};
  return guarded(blame, [&] {
    at::Tensor out = term.loss->forward(logits, target);
    const bool good = out.defined() && out.dim() == 2 && (out.size(0) == logits.size(0) || out.size(0) == 1) &&
                      out.size(1) == logits.size(1);
    if (!good) {
      std::ostringstream text;
      text << "returned a tensor of shape ";
      if (out.defined()) text << out.sizes();
      else text << "(undefined)";
      text << "; expected [" << logits.size(0) << " or 1, " << logits.size(1) << "]: one value a sample and class";
      throw Error(text.str());
    }
    return out;
  });
}

}  // namespace nephron::host
