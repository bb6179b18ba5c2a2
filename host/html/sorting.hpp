#pragma once

#include <string_view>

namespace nephron::host {

/// Script that lets the tables of class "sortable" be sorted by a click on a column's head, or Enter.
extern const std::string_view sorting_script;

}  // namespace nephron::host
