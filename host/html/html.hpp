#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nephron::host {

/// Text that is safe between tags and inside quoted attributes.
std::string escaped(std::string_view text);

/// A table with a head; cells are HTML already. The first column reads as names, the others as figures.
std::string html_table(const std::vector<std::string>& head, const std::vector<std::vector<std::string>>& rows);

/// A whole page that needs nothing but itself. `title` is text, `body` HTML.
std::string html_page(const std::string& title, const std::string& body);

}  // namespace nephron::host
