#include <host/weights/weights.hpp>

#include <algorithm>
#include <iterator>
#include <set>

#include <ATen/core/grad_mode.h>

#include <nephron/error.hpp>

namespace nephron::host {

namespace {

void collect(const torch::nn::Module& module, const std::string& prefix,
             std::vector<std::pair<std::string, at::Tensor>>& out) {
  for (const auto& item : module.named_parameters(false)) out.emplace_back(prefix + item.key(), item.value());
  for (const auto& item : module.named_buffers(false)) out.emplace_back(prefix + item.key(), item.value());
  for (const auto& child : module.named_children()) collect(*child.value(), prefix + child.key() + ".", out);
}

std::vector<std::pair<std::string, at::Tensor>> ordered(const torch::nn::Module& module) {
  std::vector<std::pair<std::string, at::Tensor>> out;
  collect(module, "", out);
  std::erase_if(out, [](const auto& entry) { return !entry.second.defined(); });
  return out;
}

void list(std::string& text, const std::string& title, const std::vector<std::string>& names) {
  constexpr std::size_t shown = 12;
  if (names.empty()) return;
  text += "  " + title + " (" + std::to_string(names.size()) + ")\n";
  for (std::size_t i = 0; i < std::min(names.size(), shown); ++i) text += "    " + names[i] + "\n";
  if (names.size() > shown) text += "    ... and " + std::to_string(names.size() - shown) + " more\n";
}

/// What probably happened, told by the names alone.
std::string hint_for(const WeightReport& report) {
  const auto all_start = [](const std::vector<std::string>& names, std::string_view prefix) {
    return !names.empty() &&
           std::all_of(names.begin(), names.end(), [&](const auto& n) { return n.starts_with(prefix); });
  };
  const auto any_starts = [](const std::vector<std::string>& names, std::string_view prefix) {
    return std::any_of(names.begin(), names.end(), [&](const auto& n) { return n.starts_with(prefix); });
  };
  if (any_starts(report.unexpected, "encoder.") && any_starts(report.unexpected, "decoder."))
    return "the file holds a whole model: name it as model.weights, not as the encoder's";
  if (all_start(report.missing, "encoder.") ||
      (any_starts(report.missing, "encoder.") && any_starts(report.missing, "decoder.")))
    return "is it an encoder's file, or another architecture's? Encoder weights are named in model.encoder.weights";
  return "take the file of this very architecture, or set strict = false to load what fits";
}

}  // namespace

TensorMap state_dict(const torch::nn::Module& module) {
  TensorMap map;
  for (auto& [name, tensor] : ordered(module)) map.emplace(std::move(name), std::move(tensor));
  return map;
}

std::vector<std::string> state_dict_order(const torch::nn::Module& module) {
  std::vector<std::string> names;
  for (auto& [name, tensor] : ordered(module)) names.push_back(std::move(name));
  return names;
}

std::string WeightReport::table() const {
  std::string text;
  list(text, "missing: the model has them, the file has not", missing);
  list(text, "unexpected: the file has them, the model has not", unexpected);
  list(text, "misshapen: file, model", misshapen);
  if (!text.empty()) text.pop_back();
  return text;
}

WeightReport apply_weights(torch::nn::Module& module, const TensorMap& tensors, bool strict,
                           const std::string& source) {
  const TensorMap own = state_dict(module);
  WeightReport report;
  std::vector<std::pair<at::Tensor, at::Tensor>> copies;
  for (const auto& [name, to] : own) {
    const auto found = tensors.find(name);
    if (found == tensors.end()) {
      if (!name.ends_with("num_batches_tracked")) report.missing.push_back(name + "  " + shape_text(to.sizes()));
    } else if (found->second.sizes() != to.sizes()) {
      report.misshapen.push_back(name + "  " + shape_text(found->second.sizes()) + ", " + shape_text(to.sizes()));
    } else {
      copies.emplace_back(to, found->second);
    }
  }
  for (const auto& [name, from] : tensors)
    if (!own.contains(name)) report.unexpected.push_back(name + "  " + shape_text(from.sizes()));
  if (strict && !report.good())
    throw Error("the weights of " + source + " do not fit the model:\n" + report.table(), hint_for(report));
  if (copies.empty() && !own.empty())
    throw Error("nothing in the weights of " + source + " fits the model:\n" + report.table(), hint_for(report));
  const at::NoGradGuard no_grad;
  for (auto& [to, from] : copies) to.copy_(from);
  return report;
}

}  // namespace nephron::host
