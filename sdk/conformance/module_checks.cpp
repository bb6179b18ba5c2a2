#include <conformance/module_checks.hpp>

#include <ATen/core/grad_mode.h>

namespace nephron::conformance {

void require_own_names(const torch::nn::Module& module) {
  std::map<const void*, std::string> names;
  const auto note = [&](const std::string& name, const at::Tensor& tensor) {
    const auto [found, fresh] = names.try_emplace(tensor.unsafeGetTensorImpl(), name);
    expect(fresh, [&, first = found->second] {
      return first + " and " + name + " are one and the same: a parameter or module is registered twice, so that it " +
             "would be saved under both names and the optimiser would step it twice";
    });
  };
  for (const auto& p : module.named_parameters()) note(p.key(), p.value());
  for (const auto& b : module.named_buffers()) note(b.key(), b.value());
}

void copy_state(const torch::nn::Module& from, torch::nn::Module& to) {
  const at::NoGradGuard no_grad;
  const auto parameters = from.named_parameters();
  for (auto& p : to.named_parameters()) p.value().copy_(parameters[p.key()]);
  const auto buffers = from.named_buffers();
  for (auto& b : to.named_buffers()) b.value().copy_(buffers[b.key()]);
}

namespace {

/// "a, b and 3 more"
std::string few_of(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size() && i < 3; ++i) out += (i > 0 ? ", " : "") + names[i];
  return names.size() > 3 ? out + " and " + std::to_string(names.size() - 3) + " more" : out;
}

}  // namespace

GradientWatch::GradientWatch(torch::nn::Module& module) : module_(module) {
  for (auto& p : module.named_parameters()) {
    if (p.value().requires_grad()) continue;
    only_stored_.insert(p.key());
    p.value().requires_grad_(true);
  }
}

void GradientWatch::require_gradients() const {
  std::vector<std::string> idle, used;
  for (const auto& p : module_.named_parameters()) {
    const at::Tensor& gradient = p.value().grad();
    const bool stored = only_stored_.contains(p.key());
    if (gradient.defined() && stored) used.push_back(p.key());
    if (!gradient.defined() && !stored) idle.push_back(p.key());
    expect(!gradient.defined() || all_finite(gradient),
           [&] { return "the gradient of parameter " + p.key() + " is not finite"; });
  }
  expect(idle.empty(), [&] {
    return "no gradient reaches " + few_of(idle) + "; what is stored for published weights alone is declared with " +
           "nn::store_only";
  });
  expect(used.empty(), [&] {
    return few_of(used) + " wants no gradient, as what is only stored, but forward uses it: it would never be trained";
  });
}

}  // namespace nephron::conformance
