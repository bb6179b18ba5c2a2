#pragma once

// nn/ is bound to the exact build, as tensors are (docs/plugins.md, rule 8).
#include <nephron/export.hpp>
#include <nephron/nn/build.hpp>

namespace nephron::nn {

/// While it lives on this thread, layers of nn/ are made without first weights: what they hold is anything. For a model
/// whose weights are all loaded, or of which only names, shapes and sizes are wanted: drawing takes most of the time
/// that making a model takes.
class NEPHRON_API WithoutFirstWeights {
 public:
  WithoutFirstWeights() noexcept;
  ~WithoutFirstWeights();
  WithoutFirstWeights(const WithoutFirstWeights&) = delete;
  WithoutFirstWeights& operator=(const WithoutFirstWeights&) = delete;
  /// Whether one lives.
  static bool here() noexcept;

 private:
  bool before_;
};

}  // namespace nephron::nn
