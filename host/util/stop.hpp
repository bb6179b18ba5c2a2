#pragma once

#include <functional>

namespace nephron::host {

/// Says that work is not wanted any more.
using Stop = std::function<bool()>;

}  // namespace nephron::host
