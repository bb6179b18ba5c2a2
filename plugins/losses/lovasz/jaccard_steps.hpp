#pragma once

#include <nephron/context.hpp>
#include <nephron/torch.hpp>

/// Planes [P, L] of pixels that belong together, contiguous.
struct Planes {
  at::Tensor errors, target;
  at::Tensor weights;  ///< undefined: all 1
  /// What errors of 0 and less are given does not matter.
  bool positive_only = false;
  /// The mean of the steps and of those of the swapped target, 1 - t.
  bool symmetric = false;
};

/// What each pixel adds to the Jaccard loss when pixels become wrong one after the other, largest error first: the
/// gradient of the Lovasz extension, [P, L]. Pixels count as often as their weight says; those of weight 0 have a step
/// of 0, and are as if they were not there.
///
/// Before a pixel the union is U = foreground + wrong background, the intersection I = foreground - wrong foreground;
/// the loss is 1 - I / U, and a pixel of target t and weight w adds w ((1 - t) I + t U) / (U (U + w (1 - t))). That has
/// no difference of nearly equal quotients, of which the textbook's form is made.
at::Tensor jaccard_steps(const Planes& planes, nephron::ThreadPool& threads);
