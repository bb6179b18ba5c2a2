#pragma once

#include <ATen/core/Tensor.h>

// Classes that exclude each other: a pixel has one of them, or none, which is the background. Logits [N, C, H, W] are
// of the classes alone; the background's is 0 everywhere. Of one class that is the sigmoid.
namespace nephron::host {

/// Probabilities of logits: sigmoids, or the softmax with the background, whose share is left out.
at::Tensor probabilities(const at::Tensor& logits, bool exclusive);

/// True where a class is more likely than not, or than any other and the background.
at::Tensor predicted_masks(const at::Tensor& logits, bool exclusive);

/// Logits whose sigmoids are the probabilities of exclusive classes, so that a loss of single classes takes them.
at::Tensor log_odds(const at::Tensor& logits);

}  // namespace nephron::host
