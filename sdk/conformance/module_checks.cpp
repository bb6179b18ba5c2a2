#include <conformance/module_checks.hpp>

#include <algorithm>
#include <chrono>

#include <unistd.h>

#include <ATen/CPUGeneratorImpl.h>
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

void seed_torch(std::uint64_t seed) {
  at::Generator generator = at::detail::getDefaultCPUGenerator();
  generator.set_current_seed(seed);
}

}  // namespace

void require_no_seeding(const std::function<void()>& body) {
  std::vector<at::Tensor> states;
  for (const std::uint64_t seed : {1, 2}) {
    seed_torch(seed);
    body();
    states.push_back(at::detail::getDefaultCPUGenerator().get_state());
  }
  expect(!same(states[0], states[1]),
         "it seeds LibTorch's generator: what is drawn after it, first weights of other modules too, is the same "
         "whatever the experiment's seed; modules draw from that generator, and the host seeds it (SDK rule 5)");
}

std::string module_trace(const std::function<void()>& make, const std::function<std::vector<at::Tensor>()>& run) {
  constexpr std::int64_t values = 16;
  seed_torch(5);
  make();
  seed_torch(static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count()) ^
             static_cast<std::uint64_t>(::getpid()));
  std::string out;
  for (const at::Tensor& t : run()) {
    const at::Tensor flat = t.detach().to(at::kCPU, at::kDouble).contiguous().flatten();
    const double most = std::max(flat.abs().max().item<double>(), 1e-30);
    out += std::to_string(most) + " " + std::to_string(flat.mean().item<double>() / most);
    for (std::int64_t i = 0; i < values; ++i)
      out += ' ', out += std::to_string(flat[i * (flat.numel() - 1) / (values - 1)].item<double>() / most);
    out += "\n";
  }
  return out;
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
