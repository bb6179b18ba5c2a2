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

}  // namespace nephron::nn
