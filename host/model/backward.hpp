#pragma once

#include <ATen/core/Tensor.h>

#include <host/plugins/guard.hpp>

namespace nephron::host {

/// A component whose part of a backward pass can be named.
struct BackwardPlace {
  Origin origin;
  Call call;
};
/// Never freed: a thread of the autograd engine may name it at any time.
const BackwardPlace* backward_place(Origin origin);

/// From when the gradient of `output` is there, the backward pass is in `place`, which made it; null: in the host.
void mark_backward(const at::Tensor& output, const BackwardPlace* place);

/// loss.backward(); what it throws, and a signal that it dies of, names the place that it had come to.
void run_backward(const at::Tensor& loss);

}  // namespace nephron::host
