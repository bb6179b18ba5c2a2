#pragma once

#include <host/util/report_lines.hpp>

namespace nephron::host {

/// The check that every child makes first: that the plugin can be loaded.
inline constexpr const char* load_check = "load";
/// The check that two children answer together: that what is drawn is the same in another process, at another time.
inline constexpr const char* processes_check = "processes";

}  // namespace nephron::host
