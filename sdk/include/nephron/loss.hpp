#pragma once

#include <string_view>

#include <nephron/component.hpp>
#include <nephron/context.hpp>
#include <nephron/plugin.hpp>
#include <nephron/torch.hpp>

namespace nephron {

/// How far logits are from targets. The host weighs classes and samples and sums terms, so every loss works with
/// every weighting. Const calls are thread-safe.
class NEPHRON_API Loss : public Component {
 public:
  static constexpr std::string_view kind = "loss";
  ~Loss() override;

  /// logits [N, C, H, W] float32 (float64 in `plugins check`), any memory format; target of the same shape, type and
  /// device in [0, 1]. Both belong to the host, other terms read them too: they are never changed in place. Returns
  /// [N, C], or [1, C] when the value belongs to the batch as a whole; differentiable in logits. An Error ends the
  /// training, and says which loss threw it; the last checkpoint stays.
  virtual at::Tensor forward(const at::Tensor& logits, const at::Tensor& target) const = 0;
};

/// A loss whose value of one class depends on the logits or targets of others (a softmax over exclusive classes)
/// inherits this too, so that `plugins check` does not take it for a mistake.
class NEPHRON_API CouplesClasses {
 public:
  virtual ~CouplesClasses();
};

}  // namespace nephron
