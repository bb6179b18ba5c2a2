#include <host/train/freezing.hpp>

#include <algorithm>
#include <utility>

#include <nephron/error.hpp>

namespace nephron::host {

Freezing::Freezing(const TrainConfig& config, NamedTensors parameters)
    : config_(config.freeze), parameters_(std::move(parameters)) {
  for (const auto& [name, tensor] : parameters_) trainable_.push_back(tensor.requires_grad());
  std::vector<std::int64_t> changes{0};
  for (const FreezeConfig& f : config_) {
    parts_.push_back(part_of(parameters_, f.match));
    changes.push_back(f.from);
    if (f.until) changes.push_back(*f.until);
  }
  for (const std::int64_t epoch : changes) {
    const std::vector<bool> frozen = in_epoch(epoch);
    bool any = none();
    for (std::size_t i = 0; i < frozen.size(); ++i) any = any || (trainable_[i] && !frozen[i]);
    if (!any && epoch < config.epochs)
      throw Error("everything is frozen in epoch " + std::to_string(epoch + 1) + ": it would train nothing",
                  "leave a part of the network out of [[train.freeze]]");
  }
}

std::vector<bool> Freezing::in_epoch(std::int64_t epoch) const {
  std::vector<bool> out(parameters_.size());
  for (std::size_t f = 0; f < config_.size(); ++f) {
    if (epoch < config_[f].from || (config_[f].until && epoch >= *config_[f].until)) continue;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = out[i] || parts_[f][i];
  }
  return out;
}

void Freezing::apply(torch::nn::Module& network, std::int64_t epoch) const {
  network.train();
  if (none()) return;
  const std::vector<bool> frozen = in_epoch(epoch);
  for (std::size_t i = 0; i < frozen.size(); ++i) {
    at::Tensor parameter = parameters_[i].second;
    parameter.set_requires_grad(trainable_[i] && !frozen[i]);
  }
  for (const auto& module : network.modules(/*include_self=*/false)) {
    const std::vector<at::Tensor> own = module->parameters();
    if (!own.empty() && std::none_of(own.begin(), own.end(), [](const at::Tensor& p) { return p.requires_grad(); }))
      module->eval();
  }
}

std::string Freezing::text(std::int64_t epoch) const {
  const std::vector<bool> frozen = in_epoch(epoch);
  std::int64_t tensors = 0, values = 0, all = 0;
  for (std::size_t i = 0; i < frozen.size(); ++i) {
    const std::int64_t n = parameters_[i].second.numel();
    all += n;
    if (frozen[i]) ++tensors, values += n;
  }
  if (tensors == 0) return "nothing is frozen";
  return std::to_string(tensors) + " of " + std::to_string(frozen.size()) + " parameters (" + count_text(values) +
         " of " + count_text(all) + " values) are frozen";
}

}  // namespace nephron::host
