#include <nephron/metric_curves.hpp>

namespace nephron {

HasCurves::~HasCurves() = default;

}  // namespace nephron
