#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/ops/softplus.h>
#include <nephron/loss.hpp>

#include <conformance/faults/faults.hpp>

namespace nephron::conformance {

/// Binary cross entropy, a value a sample and class.
class GoodLoss : public Loss {
 public:
  at::Tensor forward(const at::Tensor& logits, const at::Tensor& target) const override {
    return (at::softplus(logits) - logits * target).mean(at::IntArrayRef{2, 3});
  }
};

}  // namespace nephron::conformance
