#include <conformance/module_checks.hpp>

#include <ATen/core/grad_mode.h>

namespace nephron::conformance {

void copy_state(const torch::nn::Module& from, torch::nn::Module& to) {
  const at::NoGradGuard no_grad;
  const auto parameters = from.named_parameters();
  for (auto& p : to.named_parameters()) p.value().copy_(parameters[p.key()]);
  const auto buffers = from.named_buffers();
  for (auto& b : to.named_buffers()) b.value().copy_(buffers[b.key()]);
}

std::vector<std::string> without_gradient(const torch::nn::Module& module) {
  std::vector<std::string> out;
  for (const auto& p : module.named_parameters()) {
    if (!p.value().requires_grad()) continue;
    if (!p.value().grad().defined()) out.push_back(p.key());
    else
      expect(all_finite(p.value().grad()), [&] { return "the gradient of parameter " + p.key() + " is not finite"; });
  }
  return out;
}

std::string few_of(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size() && i < 3; ++i) out += (i > 0 ? ", " : "") + names[i];
  return names.size() > 3 ? out + " and " + std::to_string(names.size() - 3) + " more" : out;
}

}  // namespace nephron::conformance
