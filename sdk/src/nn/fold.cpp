#include <nephron/nn/fold.hpp>

#include <nephron/nn/batch_norm.hpp>
#include <nephron/nn/conv.hpp>

namespace nephron::nn {

int fold_batch_norms(torch::nn::Module& module) {
  int folded = 0;
  Conv2d* before = nullptr;
  for (const auto& child : module.children()) {
    auto* const norm = dynamic_cast<BatchNorm2d*>(child.get());
    if (norm != nullptr && before != nullptr && norm->fold_into(*before)) ++folded;
    before = dynamic_cast<Conv2d*>(child.get());
    if (norm == nullptr && before == nullptr) folded += fold_batch_norms(*child);
  }
  return folded;
}

int freeze_for_inference(torch::nn::Module& module, const Freezing& how) {
  if (auto* const conv = dynamic_cast<Conv2d*>(&module)) return conv->freeze(how) ? 1 : 0;
  int frozen = 0;
  for (const auto& child : module.children()) frozen += freeze_for_inference(*child, how);
  return frozen;
}

}  // namespace nephron::nn
