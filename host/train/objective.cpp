#include <host/train/objective.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <sstream>

#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <host/cuda/distance.hpp>
#include <host/model/exclusive.hpp>
#include <host/plugins/guard.hpp>
#include <host/slides/make_component.hpp>
#include <host/util/log.hpp>

namespace nephron::host {

at::Tensor weighted_mean(const at::Tensor& values, const at::Tensor& weights) {
  const at::Tensor sum = weights.sum(0);
  // The reference means one class plainly and divides the other by sum(w) + 1e-6; in float32 the two differ where all
  // weights are 1. Decided on the device: no read-back.
  const at::Tensor all_ones = (weights == 1).all(0);
  return (values * weights).sum(0) / at::where(all_ones, sum, sum + 1e-6);
}

Objective::Objective(const LossConfig& config, std::size_t classes, const Registry& registry, std::uint64_t seed,
                     const JobServices& services, bool exclusive)
    : class_weights_(config.class_weights), auxiliary_weight_(config.auxiliary), exclusive_(exclusive) {
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
    const std::string place = "loss.terms[" + std::to_string(i) + "]";
    term.loss = make_component<Loss>(registry, from.component, place, seed, services);
    term.asks = dynamic_cast<const InputLoss*>(term.loss.get());
    term.couples = dynamic_cast<const CouplesClasses*>(term.loss.get()) != nullptr;
    term.origin = origin_of(registry, Loss::kind, from.component, "in forward");
    term.backward = backward_place(term.origin);
    term.config = from;
    if (term.couples && classes > 1 && !exclusive)
      log().warning(place + ": \"" + from.component.type +
                    "\" looks at the classes together, and the experiment does "
                    "not say that they exclude each other: probabilities and masks take each class alone. Set "
                    "exclusive = true where a pixel has one class at most");
    terms_.push_back(std::move(term));
  }
}

Objective::~Objective() = default;

std::string loss_of_exclusive_classes(const LossConfig& config, const Registry& registry) {
  for (const LossTerm& term : config.terms)
    if (dynamic_cast<const CouplesClasses*>(make_component<Loss>(registry, term.component, "loss", 0).get()) != nullptr)
      return term.component.type;
  return {};
}

namespace {

/// What each pixel counts [N, C, H, W], its sample's weight included; undefined when pixels count alike.
at::Tensor spread_weights(const BatchTensors& batch) {
  if (!batch.pixel_weights.defined()) return {};
  return batch.pixel_weights * batch.weights.unsqueeze(2).unsqueeze(3);
}

/// What a loss that knows nothing of pixel weights is asked.
at::Tensor plain_forward(const Loss& loss, const LossInput& input) {
  if (!input.pixel_weights().defined()) return loss.forward(input.logits(), input.target());
  constexpr double certain_background = -30;
  const at::Tensor counts = input.pixel_weights() > 0;
  return loss.forward(at::where(counts, input.logits(), certain_background), input.target() * counts);
}

bool all_ones(const at::Tensor& weights) { return (weights == 1).all().item<bool>(); }

}  // namespace

bool Objective::replayable(const BatchTensors& batch, std::int64_t epoch) const {
  return std::none_of(terms_.begin(), terms_.end(), [&](const Term& term) {
    if (!term.of_batch || term.config.weight_at(epoch) == 0) return false;
    if (batch.pixel_weights.defined()) return term.asks == nullptr;
    return !batch.known_weights.defined() || !all_ones(batch.known_weights);
  });
}

std::vector<double> Objective::rests_on(std::int64_t epoch) const {
  std::vector<double> out;
  for (const Term& term : terms_) {
    out.push_back(term.config.weight_at(epoch));
    out.push_back(term.asked_epoch && out.back() > 0 ? static_cast<double>(epoch) : 0);
  }
  return out;
}

void Objective::require_without_progress() const {
  for (const Term& term : terms_)
    if (term.asked_progress)
      throw Error("train.cuda_graph: " + term.origin.component + " of plugin " + term.origin.plugin +
                      " asks how far the training is, and what is recorded would give the answer of that step for ever",
                  "let it change by epoch (`schedule` of its term), or set train.cuda_graph = false");
}

std::uint32_t Objective::needs(std::int64_t epoch) const {
  std::uint32_t out = 0;
  for (const Term& term : terms_)
    if (term.asks != nullptr && term.config.weight_at(epoch) > 0) out |= term.asks->needs();
  return out;
}

LossInput Objective::input_of(const at::Tensor& logits, const BatchTensors& batch, const TrainPlace& place) const {
  LossInput input(logits, batch.targets);
  input.set_pixel_weights(spread_weights(batch));
  input.set_progress(place.progress, place.epoch);
  input.provide(needs(place.epoch), &distance_of);
  return input;
}

LossValue Objective::operator()(const at::Tensor& logits, const BatchTensors& batch, const TrainPlace& place,
                                const std::vector<at::Tensor>& auxiliary) const {
  const LossInput input = input_of(logits, batch, place);
  LossValue out = sum_of_terms(input, batch);
  if (auxiliary_weight_ == 0) return out;
  for (const at::Tensor& more : auxiliary) {
    LossInput of_map = input.with_logits(more);
    of_map.provide(needs(place.epoch), &distance_of);
    const LossValue value = sum_of_terms(of_map, batch);
    out.total = out.total + value.total * (auxiliary_weight_ / static_cast<double>(auxiliary.size()));
    out.parts = out.parts + value.parts;
  }
  return out;
}

LossInput Objective::of_single_classes(const LossInput& input) const {
  if (!exclusive_ || std::all_of(terms_.begin(), terms_.end(), [](const Term& t) { return t.couples; })) return input;
  LossInput out = input.with_logits(log_odds(input.logits()));
  out.provide(needs(input.epoch()), &distance_of);
  return out;
}

LossValue Objective::sum_of_terms(const LossInput& input, const BatchTensors& batch) const {
  const LossInput single = of_single_classes(input);
  LossValue out;
  std::vector<at::Tensor> parts{input.logits().detach().sum().view({1})};
  for (const Term& term : terms_) {
    const double weight = term.config.weight_at(input.epoch());
    if (weight == 0) {
      parts.push_back(at::zeros({input.logits().size(1)}, parts[0].options()));
      continue;
    }
    const at::Tensor per_class = value(term, term.couples ? input : single, batch);
    parts.push_back(per_class.detach().to(c10::kFloat));
    at::Tensor mean;
    for (std::int64_t c = 0; c < per_class.size(0); ++c) {
      const at::Tensor part = per_class[c] * class_weights_[static_cast<std::size_t>(c)];
      mean = mean.defined() ? mean + part : part;
    }
    const at::Tensor part = mean * weight;
    out.total = out.total.defined() ? out.total + part : part;
  }
  if (!out.total.defined())
    throw Error("every loss has weight 0 in epoch " + std::to_string(input.epoch()),
                "let one term of [loss] count in each epoch: `weight`, `schedule`");
  if (input.logits().requires_grad() && !out.total.requires_grad()) throw_without_gradient(input.epoch());
  out.parts = at::cat(parts);
  return out;
}

void Objective::throw_without_gradient(std::int64_t epoch) const {
  std::string who;
  for (const Term& term : terms_)
    if (term.config.weight_at(epoch) > 0)
      who += (who.empty() ? "" : ", ") + term.origin.component + " of plugin " + term.origin.plugin;
  throw PluginError("nothing can be learnt from what " + who + " returned: it has no gradient",
                    "a loss computes its values from the logits by tensors of floating point; detach(), item(), whole "
                    "numbers and at::NoGradGuard lose the gradient");
}

at::Tensor Objective::value(const Term& term, const LossInput& input, const BatchTensors& batch) const {
  const at::Tensor values = call(term, input);
  const at::Tensor& pixels = input.pixel_weights();
  const bool of_samples = values.size(0) == input.logits().size(0);
  term.of_batch = term.of_batch || !of_samples;
  if (!pixels.defined()) {
    if (of_samples) return weighted_mean(values, batch.weights);
    const at::Tensor& known = batch.known_weights.defined() ? batch.known_weights : batch.weights;
    return all_ones(known) ? values[0] : value_by_levels(term, input, known);
  }
  if (term.asks != nullptr) return of_samples ? weighted_mean(values, pixels.mean({2, 3})) : values[0];
  // It took pixels of weight 0 for background: they are in its mean already, and do not weigh its sample down again.
  const at::Tensor known = pixels.sum({2, 3}) / (pixels > 0).sum({2, 3}).clamp_min(1);
  if (of_samples) return weighted_mean(values, known);
  return value_by_levels(term, input, known);
}

at::Tensor Objective::value_by_levels(const Term& term, const LossInput& input, const at::Tensor& weights) const {
  const at::Tensor& logits = input.logits();
  const at::Tensor on_cpu = weights.detach().to(c10::kCPU, c10::kDouble).contiguous();
  std::vector<at::Tensor> out;
  for (std::int64_t c = 0; c < logits.size(1); ++c) {
    std::set<double> levels;
    double sum = 0;
    for (std::int64_t i = 0; i < weights.size(0); ++i) {
      const double w = on_cpu.const_data_ptr<double>()[i * weights.size(1) + c];
      if (w > 0) levels.insert(w), sum += w;
    }
    at::Tensor total = at::zeros({1}, logits.options());
    double below = 0;
    for (const double level : levels) {
      const at::Tensor found = (on_cpu.select(1, c) >= level).nonzero().squeeze(1);
      const at::Tensor rows = found.to(logits.device(), /*non_blocking=*/true);
      const at::Tensor one = call(term, input.part(c, rows)).mean(0);
      const double share = (level - below) * static_cast<double>(rows.numel()) / sum;
      total = levels.size() == 1 ? one : total + one * share;
      below = level;
    }
    out.push_back(total);
  }
  return at::cat(out);
}

at::Tensor Objective::of_samples(const at::Tensor& logits, const BatchTensors& batch) const {
  const at::NoGradGuard no_grad;
  const at::Tensor x = exclusive_ ? log_odds(logits.detach()) : logits.detach();
  at::Tensor pixels = at::binary_cross_entropy_with_logits(x, batch.targets, {}, {}, at::Reduction::None);
  if (batch.pixel_weights.defined()) pixels = pixels * batch.pixel_weights;
  const at::Tensor weighed = pixels.mean({2, 3}) * batch.weights;
  at::Tensor out;
  for (std::int64_t c = 0; c < weighed.size(1); ++c) {
    const at::Tensor part = weighed.select(1, c) * class_weights_[static_cast<std::size_t>(c)];
    out = out.defined() ? out + part : part;
  }
  return out;
}

std::string Objective::explain(const at::Tensor& parts, const std::vector<std::string>& classes) const {
  const at::Tensor values = parts.detach().to(c10::kCPU, c10::kDouble).contiguous();
  const double* const v = values.const_data_ptr<double>();
  if (!std::isfinite(v[0]))
    return "the network's output is no number already: its weights or the images are not finite";
  std::string out;
  for (std::size_t t = 0; t < terms_.size(); ++t)
    for (std::size_t c = 0; c < classes.size(); ++c)
      if (const double x = v[1 + t * classes.size() + c]; !std::isfinite(x))
        out += (out.empty() ? "" : ", ") + terms_[t].origin.component + " of plugin " + terms_[t].origin.plugin +
               " is " + (std::isnan(x) ? "NaN" : "infinite") + " for class \"" + classes[c] + "\"";
  return out.empty() ? "each term is finite, and their sum is not" : out;
}

at::Tensor Objective::call(const Term& term, const LossInput& input) const {
  const at::Tensor& logits = input.logits();
  input.take_asked();
  const at::Tensor values = guarded(term.origin, [&] {
    at::Tensor out = term.asks != nullptr ? term.asks->value(input) : plain_forward(*term.loss, input);
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
  const std::uint32_t asked = input.take_asked();
  term.asked_progress = term.asked_progress || (asked & LossAsked::progress) != 0;
  term.asked_epoch = term.asked_epoch || (asked & LossAsked::epoch) != 0;
  mark_backward(values, term.backward);
  return values;
}

}  // namespace nephron::host
