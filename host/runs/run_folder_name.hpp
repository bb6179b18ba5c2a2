#pragma once

#include <string_view>

namespace nephron::host {

/// Whether a text is as a run's folder is called: "20260131-120000-1a2b3c".
bool is_run_name(std::string_view text);

}  // namespace nephron::host
