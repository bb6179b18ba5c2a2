#pragma once

#include <string>
#include <string_view>

namespace nephron::host {

/// Text that is safe between tags and inside quoted attributes, of HTML and SVG alike. Control characters, which XML
/// has no word for, become spaces.
std::string escaped(std::string_view text);

}  // namespace nephron::host
