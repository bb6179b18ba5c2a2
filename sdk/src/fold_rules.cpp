#include <nephron/fold_rules.hpp>

namespace nephron {

FoldRules::~FoldRules() = default;

}  // namespace nephron
