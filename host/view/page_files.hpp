#pragma once

#include <optional>
#include <string_view>

namespace nephron::host {

/// A file of the viewer's page, as it was embedded: "index.html". Nothing when there is none of this name.
std::optional<std::string_view> page_file(std::string_view name);

/// "text/html; charset=utf-8", by the name's ending.
std::string_view media_type(std::string_view name);

}  // namespace nephron::host
