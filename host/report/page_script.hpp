#pragma once

#include <string_view>

namespace nephron::host {

/// What a report's page does: columns of tables sort, places lead to the viewer whose address was put in. It asks
/// nothing of a network, and without it everything is there all the same.
extern const std::string_view page_script;

}  // namespace nephron::host
