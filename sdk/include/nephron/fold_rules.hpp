#pragma once

#include <vector>

#include <nephron/export.hpp>
#include <nephron/slide.hpp>

namespace nephron {

/// What a dataset may know of who may learn from its slides. A Dataset inherits it besides; the host asks for it with
/// dynamic_cast. Const calls are thread-safe.
class NEPHRON_API FoldRules {
 public:
  virtual ~FoldRules();
  /// The one fold whose training uses the slide; -1: every fold. Such a dataset's slides are never held out for
  /// validation.
  virtual int only_fold(const SlideInfo& slide) const = 0;
  /// Asked before `fold` is trained: `held_out` are the slides that it is validated on. Throws Error when the labels of
  /// this dataset have seen them.
  virtual void require_unseen(int fold, const std::vector<SlideInfo>& held_out) const = 0;
};

}  // namespace nephron
