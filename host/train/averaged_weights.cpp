#include <host/train/averaged_weights.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>

#include <nephron/error.hpp>

namespace nephron::host {

bool is_statistic(const std::string& name) { return name.ends_with("running_mean") || name.ends_with("running_var"); }

AveragedWeights::AveragedWeights(const AverageConfig& config, torch::nn::Module& network) : config_(config) {
  const auto keep = [&](const std::string& name, const at::Tensor& own, Rule rule) {
    if (own.defined()) entries_.push_back({name, own, own.detach().clone(), rule});
  };
  for (const auto& item : network.named_parameters()) keep(item.key(), item.value(), Rule::average);
  for (const auto& item : network.named_buffers()) {
    const bool floating = item.value().defined() && item.value().is_floating_point();
    const bool left = !exponential() && is_statistic(item.key());
    keep(item.key(), item.value(), left ? Rule::leave : floating ? Rule::average : Rule::copy);
  }
}

double AveragedWeights::share_of_newest(std::int64_t n) const {
  const auto before = static_cast<double>(n);
  if (!exponential()) return 1 / (before + 1);
  if (n == 0) return 1;
  return 1 - (config_.ramp ? std::min(config_.decay, (1 + before) / (10 + before)) : config_.decay);
}

void AveragedWeights::add(std::int64_t n) {
  const c10::NoGradGuard no_grad;
  const double share = share_of_newest(n);
  std::vector<at::Tensor> averages, news;
  for (Entry& e : entries_) {
    if (e.rule == Rule::copy || n == 0) e.average.copy_(e.own);
    else if (e.rule == Rule::average) averages.push_back(e.average), news.push_back(e.own);
  }
  if (!averages.empty()) at::_foreach_lerp_(averages, news, share);
}

TensorMap AveragedWeights::tensors() const {
  TensorMap out;
  for (const Entry& e : entries_) out.emplace(e.name, e.average);
  return out;
}

void AveragedWeights::load(const TensorMap& from) {
  const c10::NoGradGuard no_grad;
  for (Entry& e : entries_) {
    const auto found = from.find(e.name);
    if (found == from.end()) throw Error("the averaged weights lack \"" + e.name + "\"");
    if (found->second.sizes() != e.average.sizes())
      throw Error("\"" + e.name + "\" of the averaged weights has another shape than the model");
    e.average.copy_(found->second);
  }
}

void AveragedWeights::swap() {
  for (Entry& e : entries_) {
    at::Tensor held = e.own.variable_data();
    e.own.set_data(e.average);
    e.average = std::move(held);
  }
}

namespace {

/// A buffer that follows its batches: new = (1 - momentum) old + momentum batch.
struct Statistic {
  at::Tensor own, before, sum;
  double momentum = 0;
};

/// Those of modules in training mode; and buffers that a batch changes besides, such as the number of batches, which
/// momentum may depend on: each batch has to meet the same.
class Buffers {
 public:
  explicit Buffers(torch::nn::Module& network) {
    for (const auto& module : network.modules())
      for (const auto& item : module->named_buffers(/*recurse=*/false)) {
        const at::Tensor& own = item.value();
        if (!own.defined()) continue;
        if (!is_statistic(item.key())) others_.emplace_back(own, own.clone());
        else if (module->is_training() && own.numel() > 0) statistics.push_back({own, own.clone(), {}});
      }
  }
  void restore_others() {
    for (auto& [own, was] : others_) own.copy_(was);
  }
  std::vector<Statistic> statistics;

 private:
  std::vector<std::pair<at::Tensor, at::Tensor>> others_;
};

/// How much a batch counts is known to the module alone, so it is measured: one batch meets the statistics that there
/// are and others, and what is left of the difference is 1 - momentum. Buffers that no batch changes are left out.
/// False when there is no batch.
bool measure_momentum(Buffers& buffers, const std::function<bool(std::int64_t)>& pass) {
  if (!pass(0)) return false;
  buffers.restore_others();
  std::vector<Statistic>& statistics = buffers.statistics;
  std::erase_if(statistics, [](const Statistic& s) { return at::equal(s.own, s.before); });
  std::vector<at::Tensor> after, moved;
  for (Statistic& s : statistics) {
    after.push_back(s.own.clone());
    moved.push_back(s.before.abs().clamp_min(1));
    s.own.copy_(s.before + moved.back());
  }
  if (!pass(0)) return false;
  buffers.restore_others();
  constexpr double finest = 1e6;  // momenta are short decimal numbers: rounding takes away the error of the float
  for (std::size_t i = 0; i < statistics.size(); ++i) {
    Statistic& s = statistics[i];
    const at::Tensor kept = ((s.own - after[i]) / moved[i]).to(c10::kDouble).mean();
    s.momentum = std::round((1 - kept.item<double>()) * finest) / finest;
    s.sum = at::zeros_like(s.own, s.own.options().dtype(c10::kDouble));
  }
  std::erase_if(statistics, [](const Statistic& s) {
    if (s.momentum <= 0) s.own.copy_(s.before);
    return s.momentum <= 0;
  });
  return true;
}

}  // namespace

void remake_statistics(torch::nn::Module& network, const std::function<bool(std::int64_t)>& pass) {
  const c10::NoGradGuard no_grad;
  Buffers buffers(network);
  if (buffers.statistics.empty()) return;
  std::int64_t batches = 0;
  if (measure_momentum(buffers, pass)) {
    for (;; ++batches) {
      for (const Statistic& s : buffers.statistics) s.own.zero_();
      if (!pass(batches)) break;
      buffers.restore_others();
      for (Statistic& s : buffers.statistics) s.sum += s.own;
    }
  }
  for (const Statistic& s : buffers.statistics) {
    if (batches > 0) s.own.copy_(s.sum / (s.momentum * static_cast<double>(batches)));
    else s.own.copy_(s.before);
  }
}

}  // namespace nephron::host
