#pragma once

#include <string>
#include <string_view>

namespace nephron::host {

// What the page of runs does, in the order in which its parts stand in its one script. It asks nothing of a network,
// and whatever a name in a run says is text in it.

extern const std::string_view runs_page_style;
extern const std::string_view facts_script;  ///< what is known of runs, as a person reads it; filters
extern const std::string_view lines_script;  ///< curves of ticked runs as lines and bands, drawn as charts
extern const std::string_view table_script;  ///< the table: its order, its columns, what is ticked

/// All of it, closed against other scripts.
std::string runs_page_script();

}  // namespace nephron::host
